/* The least that a Cortex-M4F under QEMU needs: vectors, start-up, and the debugger's console. */
#include <stdint.h>

int main(void);
void say(const char *line);
void reset(void);

extern uint32_t data_start[], data_end[], data_load[], bss_start[], bss_end[], stack_top[];

/* A request to the debugger: its number and its argument. */
static void ask(uint32_t number, const void *argument)
{
    register uint32_t r0 __asm__("r0") = number;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

void say(const char *line)
{
    ask(0x04, line); /* SYS_WRITE0 */
    ask(0x04, "\n");
}

static void leave(uint32_t code)
{
    const uint32_t block[2] = {0x20026, code}; /* the program ended by itself */
    for (;;)
        ask(0x20, block); /* SYS_EXIT_EXTENDED */
}

void reset(void)
{
    volatile uint32_t *const coprocessors = (volatile uint32_t *)0xe000ed88;
    *coprocessors |= 0xfu << 20; /* the floating-point unit, in full */
    __asm__ volatile("dsb\n isb" ::: "memory");
    for (uint32_t *to = data_start, *from = data_load; to < data_end;)
        *to++ = *from++;
    for (uint32_t *to = bss_start; to < bss_end;)
        *to++ = 0;
    leave((uint32_t)main());
}

static void fault(void)
{
    say("fault");
    leave(2);
}

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    void (*handlers[3])(void); /* reset, non-maskable interrupt, hard fault */
} vectors = {stack_top, {reset, fault, fault}};
