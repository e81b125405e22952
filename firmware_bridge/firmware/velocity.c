/* See velocity.h. */
#include "velocity.h"

#define MOST ((int32_t)VELOCITY_TOP_CDEG_S * VELOCITY_ONE)
/* A load that takes more than this from the speed is beyond what the drive was chosen for. */
#define MOST_LEARNED (MOST / 5 * 3)
/* Shares of the error: 0.3 at once, 3 a second of it into the integral, each 10 ms. */
#define GAIN_1024 307
#define INTEGRAL_1024 31
/* The eyes' slope is 2Σi·x − (n−1)Σx, n = 25 samples each 10 ms: 6·100/(25·624) = 1/26 cdeg/s each. */
#define SLOPE_DIVISOR 26
#define SLOPE_SAMPLES 25u
/* Both sensors were taken in when this slot of the guard's ten begins. */
#define SLOT 3u
/* Two sensors that differ by more than this do not see one table; eight times their noise. */
#define APART_CDEG_S 100
#define STILL_CDEG_S 20
/* The push through the gap of the gear: 0.6°/s, and half the full voltage a second more until teeth meet. */
#define PUSH_CDEG_S 60
#define PUSH_GROWS_CDEG_S 1700
/* Above twice the idle current: whatever resists takes more. */
#define IN_GAP_MA 500
/* Four fifths of the droop, and the most that counts: the rated load takes 10 A. */
#define COMPENSATION(ma) ((int32_t)(ma) * VELOCITY_DROOP_CDEG_S / 125 * VELOCITY_ONE / 10)
#define MOST_COMPENSATED_MA 12000
#define UNKNOWN INT16_MIN

static int32_t within(int32_t value, int32_t most) { return value > most ? most : value < -most ? -most : value; }

static int16_t size_of(int16_t value) { return (int16_t)(value < 0 ? -value : value); }

static int16_t seen_by(const guard_eye_t *eye, bool lost) {
    if (lost || eye->good < SLOPE_SAMPLES) {
        return UNKNOWN;
    }
    return (int16_t)within(eye->slope_250 / SLOPE_DIVISOR, INT16_MAX);
}

/* The mean of two sensors, or the faster where they see different things: one that is stuck reads slower than the
 * table, and a loop that believed it would push harder and harder. */
static int16_t seen(const guard_eyes_t *eyes) {
    int16_t a = seen_by(&eyes->a, (eyes->lost & 1u) != 0u);
    int16_t b = seen_by(&eyes->b, (eyes->lost & 2u) != 0u);
    if (a == UNKNOWN || b == UNKNOWN) {
        return a == UNKNOWN ? b : a;
    }
    int32_t apart = (int32_t)a - b;
    if (-APART_CDEG_S <= apart && apart <= APART_CDEG_S) {
        return (int16_t)(((int32_t)a + b) / 2);
    }
    return size_of(a) >= size_of(b) ? a : b;
}

/* Begin from rest, with what held the load last. */
static void start(velocity_t *velocity) {
    velocity->integral = velocity->held;
    velocity->correction = 0;
    for (uint8_t i = 0u; i < VELOCITY_DELAY; i++) {
        velocity->sets[i] = 0;
    }
}

void velocity_begin(velocity_t *velocity) {
    *velocity = (velocity_t){0};
    start(velocity);
}

/* Take in a new slope; `free` where nothing resists, `braked` where the brake holds or may hold the table. */
static void learn(velocity_t *velocity, int16_t set, int16_t speed, bool is_free, bool braked) {
    int16_t due = velocity->sets[velocity->oldest];
    velocity->sets[velocity->oldest] = set;
    velocity->oldest = velocity->oldest + 1u < VELOCITY_DELAY ? (uint8_t)(velocity->oldest + 1u) : 0u;
    velocity->correction = 0;
    if (speed == UNKNOWN || (braked && size_of(speed) < STILL_CDEG_S)) {
        return;
    }
    /* In the gap of the gear whatever corrects or is learned would throw the table when the teeth meet. */
    bool against = (velocity->integral < 0 && due > 0) || (velocity->integral > 0 && due < 0);
    if (is_free && 2 * (int32_t)size_of(speed) < size_of(due) && !against) {
        return;
    }
    int32_t error = ((int32_t)due - speed) * VELOCITY_ONE;
    velocity->correction = error / 1024 * GAIN_1024;
    int32_t output = (int32_t)set * VELOCITY_ONE + velocity->correction + velocity->integral;
    /* What is beyond the drive is not learned from, but for the way back. */
    if ((-MOST <= output && output <= MOST) || (output > 0) != (error > 0)) {
        velocity->integral = within(velocity->integral + error * INTEGRAL_1024 / 1024, MOST_LEARNED);
    }
}

static void enter(velocity_t *velocity, uint8_t phase) {
    if (phase == GUARD_TAKING_UP || (phase == GUARD_RESTING && velocity->phase == GUARD_CUTTING)) {
        start(velocity);
    } else if (phase == GUARD_SETTING) {
        velocity->held = velocity->integral;
    }
    velocity->phase = phase;
}

static int32_t push(const guard_t *g, int8_t direction) {
    int32_t size = PUSH_CDEG_S + (int32_t)g->actuator.in_phase_ms * PUSH_GROWS_CDEG_S / 1000;
    return direction * size * VELOCITY_ONE;
}

int32_t velocity_step(velocity_t *velocity, const guard_t *g, const guard_out_t *out, int16_t current_ma) {
    if (out->session_id != velocity->session_id) {
        /* The next person's weight pulls elsewhere. */
        velocity->held = out->session_id == 0u ? 0 : velocity->held;
        velocity->session_id = out->session_id;
    }
    if (out->phase != velocity->phase) {
        enter(velocity, out->phase);
    }
    if (!out->drive_power || out->short_motor) {
        return 0;
    }
    int32_t compensation = COMPENSATION(within(current_ma, MOST_COMPENSATED_MA));
    if (out->preload) {
        return within(out->held_torque ? velocity->held + compensation : push(g, out->direction), MOST);
    }
    int16_t set = out->phase == GUARD_RUNNING ? out->applied_cdeg_s : 0;
    if (g->slot == SLOT) {
        int32_t free_ma = 2 * (int32_t)g->config.idle_ma + IN_GAP_MA;
        bool is_free = current_ma != 0 && size_of(current_ma) < free_ma;
        learn(velocity, set, seen(&g->eyes), is_free && set != 0, !out->brake_released);
    }
    return within((int32_t)set * VELOCITY_ONE + velocity->correction + velocity->integral + compensation, MOST);
}
