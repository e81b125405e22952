/* From the guard's set-point to a voltage on the motor: feed-forward, and a correction by the slope of the sensors.
 *
 * The guard's eyes keep a least-squares slope over 250 ms of both sensors; it is taken here every 10 ms. A set-point is
 * compared with the slope that belongs to it, half a window ago. Portable, loop-free but for the start, integers.
 *
 * Tuning: the integral gain of 3 /s alone sets where the loop crosses over, at 0.5 Hz; the slope is 130 ms old there,
 * which takes 23° of 90. A wrong feed-forward, a load or friction is made up for in a third of a second.
 *
 * That is too slow for a load that hangs on the drive the moment the brake opens: 200 Nm would turn it by 4°/s. So four
 * fifths of the speed that a load takes from the motor are put on again at once, by the current that it draws (IR
 * compensation). What a current stands for is bounded, so that a sensor that lies moves the table by no more than
 * what overspeed (H13) catches; a current that nobody measured counts as none.
 *
 * Voltages are told as the velocity that the drive without a load would turn at, in 1/256 cdeg/s.
 */
#ifndef INVERSION_TABLE_VELOCITY_H
#define INVERSION_TABLE_VELOCITY_H

#include <stdbool.h>
#include <stdint.h>

#include "guard.h"

#define VELOCITY_ONE 256
/* The drive's speed at full voltage without a load: 34°/s for 24 V and 40 V·s. Another drive is another figure here; it
 * only sets the feed-forward, which the integral corrects. */
#define VELOCITY_TOP_CDEG_S 3400
/* What an ampere takes from its speed: 40 Nm over 3000 Nm·s. */
#define VELOCITY_DROOP_CDEG_S 76
/* Set-points that are remembered, one each 10 ms: half of 250 ms, and a sample. */
#define VELOCITY_DELAY 13u

typedef struct {
    int32_t integral;   /* what holds the load and overcomes friction, as it was learned */
    int32_t held;       /* the same when the brake set last: the next motion begins with it */
    int32_t correction; /* proportional, of the last slope */
    int16_t sets[VELOCITY_DELAY];
    uint8_t oldest;
    uint8_t phase;
    uint32_t session_id;
} velocity_t;

void velocity_begin(velocity_t *velocity);

/* One millisecond: what to put on the motor, head-up positive. `g` and `out` are the guard's after its step; the current
 * is positive where it turns the head up, 0 where nobody measured it. */
int32_t velocity_step(velocity_t *velocity, const guard_t *g, const guard_out_t *out, int16_t current_ma);

#endif
