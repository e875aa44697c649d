/* Paints the stack, lets the library check a model and draw a sample, and says how deep the paint is gone. */
#include "model.h"

void say(const char *line);
void work(void);

extern uint32_t bss_end[];

static mote_model model;
static mote_session session;
static uint32_t arena[MODEL_ARENA_BYTES / 4];
static float sample[MODEL_DIM];
static mote_status status;

/* All of the library that a program that samples calls, with a class and guidance. Its depth is what both count. */
__attribute__((noinline)) void work(void)
{
    const mote_request request = {
        .seed = 42,
        .plan = MODEL_PLANS - 1,
        .class_number = 1,
        .guidance = 2.0f,
        .flags = MOTE_REQUEST_CLASS | MOTE_REQUEST_GUIDANCE,
    };
    status = model_open(&model, &session, arena, sizeof arena);
    if (status == MOTE_STATUS_OK)
        status = mote_session_sample(&session, &request, sample, MODEL_DIM);
}

int main(void)
{
    uint32_t *top;
    const uint32_t paint = 0xa5a5a5a5u;
    char line[] = "stack 00000000";

    __asm__ volatile("mov %0, sp" : "=r"(top));
    for (volatile uint32_t *word = bss_end; word < top; word++)
        *word = paint;
    work();
    if (status != MOTE_STATUS_OK) {
        say(mote_status_name(status));
        return 1;
    }
    volatile uint32_t *word = bss_end;
    while (word < top && *word == paint)
        word++;
    for (int i = 0; i < 8; i++)
        line[6 + i] = "0123456789abcdef"[4 * (uint32_t)(top - word) >> (28 - 4 * i) & 15];
    say(line);
    return 0;
}
