/* From a velocity to set-point, brake and drive power: the ramp, and the order in which things are switched.
 *
 * | phase     | brake   | drive                                        | until                                          |
 * |-----------|---------|----------------------------------------------|------------------------------------------------|
 * | RESTING   | set     | off; at zero speed beside the brake in HOLD  | a velocity is asked for                        |
 * | TAKING_UP | set     | torque                                       | the gap is taken up, ≤ 700 ms; no gap: 50 ms   |
 * | OPENING   | opening | zero speed                                   | the brake is open, 40 ms                       |
 * | RUNNING   | open    | follows the ramp                             | the ramp has come to zero                      |
 * | STILLING  | open    | zero speed                                   | still, at most 1.5 s                           |
 * | SETTING   | setting | zero speed                                   | the brake has set; then power off, but in HOLD |
 * | CUTTING   | set     | both legs low; off when it has set           | the demand is not CUT and there is supply      |
 */
#include "guard_parts.h"

#define LONGEST_TAKE_UP_MS 700u
#define ON_FLANK_MS 50u
#define TAKEN_UP_MA 1000u
#define OPENING_MS 40u
#define LONGEST_STILLING_MS 1500u
#define PHASE_CAP_MS 60000u
/* The ramp counts velocity in 1/1024 cdeg/s: 2°/s² and 4°/s² are 204.8 and 409.6 a millisecond, 20°/s³ are 2.048. */
#define VELOCITY_SHIFT 1024
#define ACCELERATION 204
#define DECELERATION 408
#define JERK 2

/* Whether there is anything to drive with: mains, or a battery that carries the drive now, whatever its check says. */
bool guard_supplied(const guard_t *g) { return (g->people.stable & SW_NO_SUPPLY) == 0u; }

/* What velocity still changes while a rate falls to zero, itself included: r + (r − 2) + … + 2. */
static int32_t still_to_come(int16_t rate) { return (int32_t)rate * (rate + JERK) / (2 * JERK); }

/* Move the set-point toward a target for one millisecond: acceleration and its rate of change are bounded, a change of
 * direction passes through rest, and the rate is zero when the target is reached. */
static void ramp(guard_actuator_t *actuator, int16_t target_cdeg_s) {
    int32_t velocity = actuator->velocity;
    int32_t target = (int32_t)target_cdeg_s * VELOCITY_SHIFT;
    if ((velocity > 0 && target < 0) || (velocity < 0 && target > 0)) {
        target = 0;
    }
    int32_t missing = target - velocity;
    if (missing == 0 && actuator->rate == 0) {
        return;
    }
    bool up = missing >= 0;
    int16_t bound = guard_size_of(target) < guard_size_of(velocity) ? DECELERATION : ACCELERATION;
    int16_t rate = up ? actuator->rate : (int16_t)-actuator->rate;
    int32_t left = guard_size_of(missing);
    if (left <= 2 * JERK && -2 * JERK <= rate && rate <= 2 * JERK) {
        actuator->velocity = target;
        actuator->rate = 0;
        return;
    }
    if (rate < 0 || (rate + JERK <= bound && still_to_come((int16_t)(rate + JERK)) <= left)) {
        rate = (int16_t)(rate + JERK);
    } else if (still_to_come(rate) > left) {
        rate = (int16_t)(rate - JERK);
    }
    actuator->rate = up ? rate : (int16_t)-rate;
    actuator->velocity = velocity + actuator->rate;
}

static int16_t rounded(int32_t velocity) {
    int32_t size = (guard_size_of(velocity) + VELOCITY_SHIFT / 2) / VELOCITY_SHIFT;
    return (int16_t)(velocity < 0 ? -size : size);
}

static void stop_at_once(guard_actuator_t *actuator) {
    actuator->velocity = 0;
    actuator->rate = 0;
    actuator->applied_cdeg_s = 0;
}

static void enter(guard_actuator_t *actuator, uint8_t phase) {
    actuator->phase = phase;
    actuator->in_phase_ms = 0;
    actuator->drive_power = phase != GUARD_RESTING;
    actuator->brake_released = phase == GUARD_OPENING || phase == GUARD_RUNNING || phase == GUARD_STILLING;
    actuator->preload = phase == GUARD_TAKING_UP;
    actuator->short_motor = phase == GUARD_CUTTING;
    if (phase == GUARD_SETTING) {
        actuator->on_flank = true; /* nothing moves the teeth while the brake is set */
    }
}

static void rest(guard_actuator_t *actuator, int16_t target, uint8_t demand) {
    if (target != 0) {
        enter(actuator, GUARD_TAKING_UP);
        return;
    }
    enter(actuator, GUARD_RESTING);
    actuator->drive_power = demand == GUARD_HOLD;
}

static void take_up(guard_t *g, const guard_pins_t *pins, int16_t target, uint8_t demand) {
    guard_actuator_t *actuator = &g->actuator;
    uint32_t taken_up_ma = 2u * (uint32_t)g->config.idle_ma + TAKEN_UP_MA;
    bool pushing = pins->current_ma != GUARD_NO_CURRENT && pins->current_ma >= taken_up_ma;
    if (target == 0) {
        rest(actuator, 0, demand);
    } else if (actuator->on_flank) {
        if (actuator->in_phase_ms > ON_FLANK_MS) {
            enter(actuator, GUARD_OPENING);
        }
    } else if (pushing || actuator->in_phase_ms > LONGEST_TAKE_UP_MS) {
        enter(actuator, GUARD_OPENING);
    }
}

static void run(guard_actuator_t *actuator, int16_t target, bool end_down, bool end_up) {
    ramp(actuator, target);
    if ((end_down && actuator->velocity < 0) || (end_up && actuator->velocity > 0)) {
        /* The wire has taken the drive's outward leg already; what the drive follows now is zero. */
        stop_at_once(actuator);
    }
    actuator->applied_cdeg_s = rounded(actuator->velocity);
    if (target == 0 && actuator->velocity == 0) {
        actuator->rate = 0;
        enter(actuator, GUARD_STILLING);
    }
}

static void still(guard_t *g, int16_t target) {
    guard_actuator_t *actuator = &g->actuator;
    if (target != 0) {
        enter(actuator, GUARD_RUNNING);
    } else if (g->eyes.still_ms > 0u || actuator->in_phase_ms > LONGEST_STILLING_MS) {
        enter(actuator, GUARD_SETTING);
    }
}

static void cut(guard_t *g, bool cutting, uint8_t demand) {
    guard_actuator_t *actuator = &g->actuator;
    if (actuator->in_phase_ms > g->config.brake_ms) {
        actuator->drive_power = false;
        if (!cutting) {
            rest(actuator, 0, demand);
        }
    }
}

/* One millisecond of drive and brake. */
void guard_actuate(guard_t *g, const guard_pins_t *pins, uint8_t demand) {
    guard_actuator_t *actuator = &g->actuator;
    bool end_down = (g->people.stable & SW_END_DOWN) != 0u;
    bool end_up = (g->people.stable & SW_END_UP) != 0u;
    bool cutting = demand == GUARD_CUT || !guard_supplied(g);
    int16_t target = g->motion.target_cdeg_s;
    if (cutting || (target < 0 && end_down) || (target > 0 && end_up)) {
        target = 0;
    }
    actuator->in_phase_ms = guard_up(actuator->in_phase_ms, PHASE_CAP_MS);
    if (cutting && actuator->phase != GUARD_CUTTING) {
        stop_at_once(actuator);
        enter(actuator, GUARD_CUTTING);
        return;
    }
    switch (actuator->phase) {
    case GUARD_RUNNING:
        run(actuator, target, end_down, end_up);
        break;
    case GUARD_CUTTING:
        cut(g, cutting, demand);
        break;
    case GUARD_TAKING_UP:
        take_up(g, pins, target, demand);
        break;
    case GUARD_OPENING:
        if (actuator->in_phase_ms > OPENING_MS) {
            enter(actuator, GUARD_RUNNING);
        }
        break;
    case GUARD_STILLING:
        still(g, target);
        break;
    case GUARD_SETTING:
        if (target != 0) {
            enter(actuator, GUARD_TAKING_UP);
        } else if (actuator->in_phase_ms > g->config.brake_ms) {
            rest(actuator, 0, demand);
        }
        break;
    default:
        rest(actuator, target, demand);
        break;
    }
}
