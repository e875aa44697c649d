/* Opens a model, draws a sample one step at a time, as a control loop would that must not wait, and prints its digest.
 *
 * model.h and model.c come from `mote export MODEL --format c`; say() and the start-up code are the board's. */
#include "model.h"

void say(const char *line);

static mote_model model;
static mote_session session;
static uint32_t arena[MODEL_ARENA_BYTES / 4];
static float sample[MODEL_DIM];

/* What a control loop does between two steps. */
static unsigned ticks;
static void control(void) { ticks++; }

/* Draws the sample of a request and gives what came of it. */
static mote_status draw(const mote_request *request)
{
    mote_status status = mote_session_start(&session, request);
    for (uint8_t done = 0; status == MOTE_STATUS_OK && !done; control())
        status = mote_session_step(&session, &done);
    return status != MOTE_STATUS_OK ? status : mote_session_read(&session, sample, MODEL_DIM);
}

int main(void)
{
    const mote_request request = {.seed = 42, .number = 3, .plan = MODEL_PLANS - 1};
    char line[] = "digest 0000000000000000";
    uint64_t digest = 0;

    /* Checks every byte of the blob, lends it the arena, and holds this processor to the bits of the one that made the model. */
    mote_status status = model_open(&model, &session, arena, sizeof arena);
    if (status == MOTE_STATUS_OK)
        status = draw(&request);
    if (status == MOTE_STATUS_OK)
        status = mote_digest(sample, MODEL_DIM, &digest);
    if (status == MOTE_STATUS_OK)
        status = mote_model_unscale(&model, sample, MODEL_DIM);
    if (status != MOTE_STATUS_OK) {
        say(mote_status_name(status));
        return 1;
    }
    for (int i = 0; i < 16; i++)
        line[7 + i] = "0123456789abcdef"[digest >> (60 - 4 * i) & 15];
    say(line);
    return 0;
}
