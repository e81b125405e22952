/* The guard under random steps, against what must hold whatever comes.
 *
 *     random_steps STEPS SEED
 *
 * Episodes of two kinds take turns. In a plausible one a table of arithmetic follows the set-point, people and host go
 * through a session, and disturbances begin at a random moment: faults, buttons, silences, lies, reboots. In a wild one
 * every pin and frame is noise. After every step the invariants are checked; the first that fails is told with its
 * episode and step, and the exit status is 1.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard_parts.h"

static uint64_t dice;

static uint32_t roll(void) {
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (uint32_t)(dice >> 32);
}

static bool one_in(uint32_t n) { return roll() % n == 0u; }

static int32_t between(int32_t low, int32_t high) { return low + (int32_t)(roll() % (uint32_t)(high - low + 1)); }

/* The world -------------------------------------------------------------------------------------------------------- */

typedef struct {
    guard_t guard;
    guard_pins_t pins;
    guard_command_t command;
    guard_request_t request;
    guard_out_t out;
    guard_t before;
    int64_t milli_cdeg;
    int32_t gain_percent;
    int32_t slip_cdeg_s;
    int32_t offset_a, offset_b;
    uint16_t sequence;
    uint32_t ms;
    uint32_t length_ms;
    uint32_t trouble_ms; /* disturbances from here on */
    uint32_t zero_ms;    /* how long the target has been 0 */
    uint32_t asked_ms;   /* how long a velocity is asked for and nothing turns */
    uint32_t left_ms;    /* how long somebody hangs below -5 degrees under RETURN or worse, and nothing moves or sounds */
    uint32_t seldom;     /* a disturbance about every so many milliseconds */
    uint32_t slowly;     /* how many times slower than 20 s the host goes through its round */
    bool dies;           /* the host, when trouble begins */
    uint32_t hung_ms;    /* below -5 degrees, counted by ourselves */
    bool rebooted;
    bool wild;
    bool host_alive;
    bool frozen_a, frozen_b;
    bool armed_once;
} world_t;

static const int16_t SPEEDS[] = {0, 0, 0, 15, 50, 90, 150, 199, 200, 201, -15, -50, -100, -199, -200, -201, 32767, -32768};
static const int16_t PLACES[] = {0, -49, -51, -60, -99, -101, -300, -499, -501, -1999, -4500, -4699, -4701, -5900,
                                 -6199, -6201, -7199, -7201, 99, 101, 2899, 3001, 3101, 7500, 7699, 7701, 8501, 9199};
#define COUNT(array) ((int32_t)(sizeof(array) / sizeof((array)[0])))
#define ANY(array) ((array)[between(0, COUNT(array) - 1)])

static guard_config_t sound_config(void) {
    guard_config_t config = {.hash = 1,
                             .heat_budget = GUARD_HEAT_BUDGET_USUAL,
                             .heat_limit = GUARD_HEAT_LIMIT_USUAL,
                             .heat_leak = GUARD_HEAT_LEAK_USUAL,
                             .cap_cdeg = (int16_t)(one_in(4) ? -6000 : between(-6000, -1000)),
                             .boarding_cdeg = (int16_t)between(0, 8500),
                             .backlash_cdeg = (int16_t)between(0, 60),
                             .stall_ma = 12000,
                             .idle_ma = 150,
                             .speed_cdeg_s = (int16_t)(one_in(2) ? 200 : between(50, 200)),
                             .degraded_cdeg_s = 100,
                             .slow_cdeg_s = 90,
                             .above_cdeg_s = 150,
                             .first_degree_cdeg_s = 50,
                             .deceleration_cdeg_s2 = (int16_t)(one_in(2) ? 60 : between(20, 1000)),
                             .lease_ms = (uint16_t)between(20, 250),
                             .tone_ms = 500,
                             .brake_ms = (uint16_t)between(1, 60),
                             .has_battery = one_in(2),
                             .brake_on_motor_side = one_in(2)};
    return config;
}

static guard_arm_t sound_arm(const guard_config_t *config) {
    guard_arm_t arm = {.session_id = 1u + roll() % 3u,
                       .config_hash = 1,
                       .cap_cdeg = (int16_t)between(config->cap_cdeg, -500),
                       .set_limit_s = (uint16_t)between(1, 60),
                       .travel_limit_s = 60,
                       .hold_today_s = 100,
                       .speed_cdeg_s = config->speed_cdeg_s,
                       .sets = (uint8_t)between(1, 3),
                       .strap_wait = one_in(2),
                       .held_tilt = !one_in(4)};
    return arm;
}

static void begin(world_t *world) {
    bool wild = one_in(4);
    memset(world, 0, sizeof *world);
    world->wild = wild;
    world->host_alive = true;
    world->gain_percent = 100;
    world->length_ms = (uint32_t)(wild ? between(100, 3000) : between(8000, 60000));
    world->trouble_ms = (uint32_t)between(0, (int32_t)world->length_ms);
    world->seldom = one_in(2) ? 300u : 5000u;
    world->slowly = one_in(3) ? 2u : 1u;
    world->dies = one_in(4);
    if (one_in(5)) {
        world->milli_cdeg = (int64_t)ANY(PLACES) * 1000;
    }
    guard_pins_t *pins = &world->pins;
    pins->mains = pins->battery = true;
    pins->angle_a_cdeg = pins->angle_b_cdeg = (int16_t)(world->milli_cdeg / 1000);
    pins->level_switch_below = world->milli_cdeg < -50000;
    guard_init(&world->guard, pins);
    guard_config_t config = sound_config();
    if (!guard_restore(&world->guard, &config)) {
        abort();
    }
    /* The proofs take twelve seconds; they have tests of their own. */
    guard_people_t *people = &world->guard.people;
    people->left.stage = people->right.stage = STRAP_PROVEN;
    people->confirmed = true;
    people->patient = PATIENT_PROVEN;
}

static void disturb(world_t *world) {
    guard_pins_t *pins = &world->pins;
    switch (between(0, 26)) {
    case 0: pins->strap_left = (uint8_t)between(0, 2); break;
    case 1: pins->strap_right = (uint8_t)between(0, 2); break;
    case 2: pins->strap_left = pins->strap_right = GUARD_CLOSED; break;
    case 3: pins->estop = (uint8_t)(one_in(3) ? between(1, 2) : 0); break;
    case 4: pins->patient_open = one_in(2); break;
    case 5: pins->mains = !one_in(3); break;
    case 6: pins->battery = !one_in(3); break;
    case 7: pins->drive_fault = one_in(4); break;
    case 8: world->gain_percent = one_in(3) ? between(-200, 200) : 100; break;
    case 9: world->slip_cdeg_s = one_in(3) ? between(-1500, 1500) : 0; break;
    case 10: world->offset_a = one_in(3) ? between(-400, 400) : 0; break;
    case 11: world->offset_b = one_in(3) ? between(-400, 400) : 0; break;
    case 12: world->frozen_a = one_in(4); break;
    case 13: world->frozen_b = one_in(4); break;
    case 14: world->host_alive = !one_in(3); break;
    case 15: pins->current_ma = (uint16_t)(one_in(3) ? between(0, 65535) : 3000); break;
    case 16: pins->end_down = one_in(4); break;
    case 17: pins->end_up = one_in(4); break;
    case 18: world->milli_cdeg += (int64_t)between(-3, 3) * 100000; break;
    case 19: pins->buttons = (uint16_t)(roll() & 0x1FFu); break;
    case 20: pins->buttons = GUARD_ACK; break;
    case 21: pins->buttons = GUARD_RETURN_KEY; break;
    case 22: pins->buttons = GUARD_TILT; break;
    case 23: pins->buttons = GUARD_RAISE; break;
    case 24: pins->supply_gone = one_in(4); break;
    default: pins->buttons = 0; break;
    }
}

static void read_angles(world_t *world) {
    guard_pins_t *pins = &world->pins;
    int32_t here = (int32_t)(world->milli_cdeg / 1000);
    int32_t a = here + world->offset_a + between(-6, 6);
    int32_t b = here + world->offset_b + between(-6, 6);
    if (!world->frozen_a) {
        pins->angle_a_cdeg = (int16_t)(a < -20000 ? -20000 : a > 20000 ? 20000 : a);
    }
    if (!world->frozen_b) {
        pins->angle_b_cdeg = (int16_t)(b < -20000 ? -20000 : b > 20000 ? 20000 : b);
    }
    pins->level_switch_below = here < -50;
}

/* A host that does its work: tilts, holds, returns. */
static void work(world_t *world) {
    guard_command_t *command = &world->command;
    int32_t here = (int32_t)(world->milli_cdeg / 1000);
    uint32_t in_cycle = world->ms / world->slowly % 20000u;
    command->session_id = world->guard.armed.session_id;
    command->echo = world->sequence;
    command->demand = GUARD_ALLOW;
    command->stop_cause = 0;
    command->presence_fresh = true;
    command->plan_return = in_cycle > 14000u && here < -60;
    command->velocity_cdeg_s = (int16_t)(command->plan_return ? 200 : in_cycle > 7000u && in_cycle < 12000u ? -200 : 0);
}

static void lie(world_t *world) {
    guard_command_t *command = &world->command;
    command->session_id = one_in(2) ? world->guard.armed.session_id : roll() % 4u;
    command->echo = (uint16_t)(one_in(2) ? world->sequence : world->sequence - (uint16_t)between(0, 40));
    command->velocity_cdeg_s = ANY(SPEEDS);
    command->demand = (uint8_t)(one_in(4) ? between(0, 7) : 0);
    command->stop_cause = (uint8_t)(one_in(4) ? between(0, 99) : 0);
    command->plan_return = one_in(4);
    command->presence_fresh = one_in(2);
}

static void live(world_t *world) {
    bool trouble = world->ms >= world->trouble_ms;
    world->host_alive = world->host_alive && !(world->dies && world->ms == world->trouble_ms);
    guard_pins_t *pins = &world->pins;
    guard_request_t *request = &world->request;
    if (trouble && one_in(world->seldom)) {
        disturb(world);
    }
    if (!trouble) {
        uint32_t in_cycle = world->ms / world->slowly % 20000u;
        pins->buttons = in_cycle > 6500u && in_cycle < 12500u ? GUARD_TILT : 0u;
        pins->current_ma = world->out.drive_power ? 3000 : 0;
    }
    memset(request, 0, sizeof *request);
    if (world->ms > 700u && one_in(world->armed_once ? 3000 : 50)) {
        request->arm = true;
        request->arming = sound_arm(&world->guard.config);
        request->arming.cap_cdeg = (int16_t)(one_in(8) ? ANY(PLACES) : request->arming.cap_cdeg);
    } else if (trouble && one_in(2000)) {
        request->disarm = true;
        request->disarm_session_id = world->guard.armed.session_id;
    } else if (trouble && one_in(2000)) {
        request->configure = true;
        request->config = sound_config();
        request->config.speed_cdeg_s = (int16_t)(one_in(3) ? between(-300, 300) : 200);
    }
    world->command.fresh = world->host_alive && world->ms % 10u == 3u;
    if (world->command.fresh) {
        if (trouble && one_in(4)) {
            lie(world);
        } else {
            work(world);
        }
    }
    if (world->ms % 10u == 0u) {
        read_angles(world);
        world->sequence++;
        guard_sent(&world->guard, world->sequence);
    }
    if (trouble && one_in(20000)) {
        guard_config_t kept = world->guard.config;
        guard_init(&world->guard, pins);
        if (kept.hash != 0u && !guard_restore(&world->guard, &kept)) {
            abort();
        }
        world->rebooted = true;
    }
}

static void rave(world_t *world) {
    if (one_in(3)) {
        guard_pins_t *pins = &world->pins;
        pins->angle_a_cdeg = (int16_t)(one_in(2) ? ANY(PLACES) : (int16_t)roll());
        pins->angle_b_cdeg = (int16_t)(one_in(2) ? pins->angle_a_cdeg : (int16_t)roll());
        pins->current_ma = (uint16_t)roll();
        pins->buttons = (uint16_t)roll();
        pins->strap_left = (uint8_t)roll();
        pins->strap_right = (uint8_t)roll();
        pins->estop = (uint8_t)(one_in(20) ? roll() : 0);
        pins->patient_open = one_in(2);
        pins->level_switch_below = one_in(2);
        pins->end_down = one_in(2);
        pins->end_up = one_in(2);
        pins->mains = one_in(2);
        pins->battery = one_in(2);
        pins->drive_fault = one_in(2);
        pins->supply_gone = one_in(4);
    }
    lie(world);
    world->command.fresh = one_in(2);
    memset(&world->request, 0, sizeof world->request);
    world->request.arm = one_in(20);
    world->request.arming = sound_arm(&world->guard.config);
    world->request.disarm = one_in(50);
    world->request.configure = one_in(50);
    world->request.config = sound_config();
    if (one_in(3)) {
        world->sequence++;
        guard_sent(&world->guard, world->sequence);
    }
}

/* The invariants --------------------------------------------------------------------------------------------------- */

static const char *failed;

static void must(bool holds, const char *what) {
    if (!holds && failed == NULL) {
        failed = what;
    }
}

static void window_is_exact(const guard_eye_t *eye, uint8_t head, int32_t samples, const guard_window_t *window) {
    int32_t sum = 0;
    int32_t weighted = 0;
    for (int32_t i = 0; i < samples; i++) {
        int32_t x = eye->ring[(head + (int32_t)GUARD_SAMPLES - samples + i) % (int32_t)GUARD_SAMPLES];
        sum += x;
        weighted += i * x;
    }
    must(sum == window->sum && weighted == window->weighted, "a window's sums are those of its samples");
}

static void counters(const guard_t *g) {
    must(g->eyes.head < GUARD_SAMPLES && g->eyes.a.good <= GUARD_SAMPLES && g->eyes.b.good <= GUARD_SAMPLES, "rings");
    must(g->eyes.apart_ms <= 200 && g->eyes.still_ms <= 60000 && g->eyes.lost <= 3, "eyes");
    must(g->people.ack_ms <= 2000 && g->people.move_ms <= 40000000, "buttons");
    must(g->people.left.since_ms <= 5000 && g->people.right.since_ms <= 5000 && g->people.proven_ms <= 5000, "straps");
    must(g->link.age_ms <= 5000 && g->link.heard_ms <= 5000 && g->link.lapse_ms <= 3001, "link");
    must(g->drive.zero_ms <= 5010 && g->drive.caught_ms <= 5010 && g->drive.stall_ms <= 5010, "drive");
    must(g->drive.since_ms >= -1000 && g->drive.since_ms <= 5010, "since");
    must(g->motion.pause_ms <= 10000 && g->motion.tone_ms <= 3000 && g->motion.spent_ms <= 6001, "motion");
    must(g->motion.zeros_ms <= 15000 && g->motion.raise_pause_ms <= 10000 && g->motion.blind_ms <= 80000, "motion");
    must(g->inverted_ms <= 1000010 && g->below_ms <= 1000010 && g->rest_ms <= 60000, "timing");
    must(g->heat <= g->config.heat_budget && g->mains_ms <= 5000 && g->strap_wait_ms <= 10000, "supply");
    must(g->slot < 10 && g->sound_pause_ms <= 30000, "slots");
}

static void causes(const guard_t *g) {
    uint32_t standing = 0;
    uint32_t latched = 0;
    for (int32_t demand = 0; demand < GUARD_DEMANDS; demand++) {
        must((standing & g->standing[demand]) == 0u && (latched & g->latched[demand]) == 0u, "a cause has one demand");
        standing |= g->standing[demand];
        latched |= g->latched[demand];
    }
    must(standing == g->standing_any && latched == g->latched_any, "the sum of causes");
    must(g->standing[0] == 0u && g->latched[0] == 0u && g->latched[1] == 0u, "nothing is latched below STOP");
    must((g->latched_any != 0u) == (g->first_cause != 0u), "a first cause while anything is latched");
}

static uint32_t bit_of_cause(uint8_t number) {
    return number == GUARD_STOP_CAUSE ? BIT_OF(CAUSE_STOP) : BIT_OF(number);
}

/* Sentence 7 of the hazard page, and what a latch is: nothing latched goes without ACK held or a fresh press. */
static void kept(const world_t *world) {
    const guard_t *g = &world->guard;
    const guard_t *before = &world->before;
    if (before->clock_ms + 1u != g->clock_ms || before->latched_any == 0u) {
        return;
    }
    uint32_t gone = before->latched_any & ~g->latched_any;
    bool reset = before->people.ack_ms >= 1999u && (g->people.ignored & GUARD_ACK) != 0u;
    must(gone == 0u || reset || (gone & ~PRESS_CLEARED) == 0u, "only RESET clears what is latched");
    must(gone == 0u || g->latched_any == 0u || g->people.pressed != 0u, "a press clears what a person stopped");
    must(gone == 0u || !reset || (before->latched_any & BIT_OF(11)) == 0u, "H11 is for service");
    bool first_is_gone = (g->latched_any & bit_of_cause(before->first_cause)) == 0u;
    must(g->first_cause == before->first_cause || first_is_gone, "the first cause stays first");
    if (!reset && gone == 0u) {
        uint32_t eased = before->latched[GUARD_CUT] & ~g->latched[GUARD_CUT];
        must((eased & ~BIT_OF(20)) == 0u, "a CUT stays a CUT, but for the e-stop's");
        must((before->latched[GUARD_HOLD] & ~(g->latched[GUARD_HOLD] | g->latched[GUARD_CUT])) == 0u, "a HOLD stays");
    }
}

static void motion(world_t *world) {
    const guard_t *g = &world->guard;
    const guard_out_t *out = &world->out;
    const guard_motion_t *m = &g->motion;
    int16_t target = m->target_cdeg_s;
    int16_t where = g->where_cdeg;
    bool down = target < 0 && where <= GUARD_LEVEL_BAND_CDEG;
    bool relief = m->excursion == RELIEF && m->begun && target >= -g->config.first_degree_cdeg_s;
    bool lowering = m->grant == LOWER && where > 0 && (g->people.held & GUARD_TILT) != 0u;
    must(!down || relief || lowering || (g->armed.session_id != 0u && m->grant == DEEPEN && m->demand == GUARD_ALLOW),
         "outward only armed and granted, or as relief");
    must(!down || g->latched_any == 0u || relief, "not deeper after a latched cause");
    must(!down || lowering || !g->link.lapsed || relief, "not deeper without a lease");
    int16_t ceiling = g->config.speed_cdeg_s;
    if (m->grant == LIFT || lowering || (where > GUARD_LEVEL_BAND_CDEG && target < 0)) {
        ceiling = ceiling > g->config.above_cdeg_s ? ceiling : g->config.above_cdeg_s;
    }
    must(-ceiling <= target && target <= ceiling, "never above the ceiling");
    must(target >= -200 && target <= 200 && out->applied_cdeg_s >= -200 && out->applied_cdeg_s <= 200, "2 degrees/s");
    must(where <= 100 || (target <= 150 && target >= -150), "1.5 degrees/s above level");
    must(!(target > 0 && where >= 0) || (g->people.held & GUARD_RAISE) != 0u || g->eyes.lost != 0u || g->eyes.disputed,
         "only RAISE raises above level");
    bool held = (g->people.held & (GUARD_RETURN_KEY | GUARD_TILT)) != 0u || g->people.patient_open;
    must(m->demand != GUARD_HOLD || target == 0 || held || relief, "HOLD moves by a held button");
    must(m->demand != GUARD_HOLD || target <= 0 || target <= g->config.slow_cdeg_s, "HOLD is slow");
    must(m->demand != GUARD_STOP || target == 0 || m->excursion != NO_EXCURSION || held, "STOP stands");
    must(m->demand != GUARD_CUT || (target == 0 && out->applied_cdeg_s == 0 && !out->brake_released && out->short_motor),
         "CUT is one step");
    must(world->pins.estop == GUARD_CLOSED || out->state == GUARD_IS_CUT, "the e-stop cuts at once");
    must(out->applied_cdeg_s == 0 || (out->brake_released && out->drive_power), "no set-point against the brake");
    must(!(out->brake_released && out->short_motor), "no short while the brake is open");
    must(!out->preload || (!out->brake_released && out->direction != 0), "torque first has a direction");
    world->zero_ms = target == 0 ? world->zero_ms + 1u : 0u;
    must(world->zero_ms < 1500u || out->applied_cdeg_s == 0, "a stop ends");
    int32_t change = g->actuator.velocity - world->before.actuator.velocity;
    must((change >= -408 && change <= 408) || g->actuator.velocity == 0, "acceleration is bounded");
    int32_t jerk = g->actuator.rate - world->before.actuator.rate;
    must((jerk >= -4 && jerk <= 4) || g->actuator.rate == 0, "jerk is bounded");
    must(g->actuator.velocity == 0 || world->before.actuator.velocity == 0 ||
             (g->actuator.velocity > 0) == (world->before.actuator.velocity > 0),
         "a change of direction passes through rest");
    must(!(out->demand >= GUARD_HOLD && where < GUARD_INVERTED_CDEG) || out->alarm == GUARD_HIGH,
         "held inverted is a HIGH alarm");
    bool back = m->back == GUARD_OWN_RETURN && m->demand == GUARD_RETURN;
    must(!back || m->tone_ms > 0u || m->pause_ms > 0u || where >= GUARD_RETURN_AIM_CDEG || target > 0,
         "a return of its own moves");
    must(g->link.lapse_ms <= 3000u || where >= GUARD_INVERTED_CDEG || m->demand >= GUARD_HOLD || back,
         "silence while inverted becomes a return");
    must(m->back == GUARD_NOT_RETURNING || out->tone == GUARD_TONE_RETURN, "a return sounds");
    bool deepening = down && m->grant == DEEPEN;
    must(!deepening || where > g->armed.cap_cdeg, "never told to go beyond the cap");
    must(!deepening || -target <= g->armed.speed_cdeg_s, "never faster down than armed for");
    must(!deepening || (g->people.stable & (SW_STRAPS)) == 0u, "never deeper with a strap that is not closed");
    must(!deepening || ((g->people.stable & SW_MAINS) != 0u && !g->people.patient_open), "never deeper without mains or patient");
    /* A sensor is lost in the first of ten slots and judged in the sixth. */
    must(!deepening || !guard_doubtful(&g->eyes) || g->slot < 5u, "never deeper on one sensor");
    bool afresh = m->grant == DEEPEN && world->before.motion.grant != DEEPEN;
    must(!afresh || ((g->people.pressed & GUARD_TILT) != 0u && g->eyes.still_ms >= STOOD_MS), "deeper by a fresh TILT from rest");
    must(!afresh || where < -GUARD_LEVEL_BAND_CDEG || g->eyes.still_ms >= 5000u, "deeper from level after five seconds");
    if (world->rebooted || g->armed.session_id != world->before.armed.session_id) {
        world->hung_ms = 0;
    }
    world->hung_ms += where < GUARD_INVERTED_CDEG ? 1u : 0u;
    uint32_t limit_ms = (g->armed.session_id != 0u ? g->armed.set_limit_s : GUARD_LONGEST_SET_S) * UINT32_C(1000);
    /* Each time it comes and goes between two samples, nine milliseconds are nobody's. */
    bool too_long = where < GUARD_INVERTED_CDEG && world->hung_ms > limit_ms + limit_ms / 10u + 20u;
    must(!too_long || m->demand >= GUARD_RETURN, "inverted too long");
}

/* Sentences 3, 6 and 8 of the hazard page: what is asked for turns, nobody is left hanging in silence, a reboot below
 * level holds. */
static void nobody_is_left(world_t *world) {
    const guard_t *g = &world->guard;
    const guard_out_t *out = &world->out;
    const guard_motion_t *m = &g->motion;
    bool can_turn = m->demand != GUARD_CUT && guard_supplied(g) && (g->people.stable & (SW_END_DOWN | SW_END_UP)) == 0u;
    world->asked_ms = can_turn && m->target_cdeg_s != 0 && out->applied_cdeg_s == 0 ? world->asked_ms + 1u : 0u;
    must(world->asked_ms < 2000u, "what is asked for turns");
    bool left = g->where_cdeg < GUARD_INVERTED_CDEG && g->eyes.lost != EYES_BOTH && out->applied_cdeg_s <= 0 &&
                (m->demand >= GUARD_RETURN || m->back != GUARD_NOT_RETURNING) && out->alarm != GUARD_HIGH && can_turn;
    world->left_ms = left ? world->left_ms + 1u : 0u;
    must(world->left_ms < 30000u, "nobody hangs with nothing moving and no HIGH alarm");
    if (world->rebooted) {
        must(out->session_id == 0u, "a reboot arms nothing");
        must(g->where_cdeg >= -GUARD_LEVEL_BAND_CDEG || !g->eyes.known || out->demand >= GUARD_HOLD, "a reboot below level holds");
        world->rebooted = world->request.arm || g->latched_any == 0u ? false : world->rebooted;
    }
}

static void session(const world_t *world) {
    const guard_t *g = &world->guard;
    const guard_t *before = &world->before;
    const guard_out_t *out = &world->out;
    must(!g->over || g->motion.grant != DEEPEN, "no set in a session that is over");
    if (g->armed.session_id == 0u || world->request.arm) {
        return;
    }
    if (before->armed.session_id == g->armed.session_id && before->clock_ms + 1u == g->clock_ms) {
        must(memcmp(&before->armed, &g->armed, sizeof g->armed) == 0, "an armed session does not change");
        must(memcmp(&before->config, &g->config, sizeof g->config) == 0, "constants do not change while armed");
        must(g->sets >= before->sets, "sets are counted up");
    }
    must(g->armed.cap_cdeg >= GUARD_DEEPEST_CAP_CDEG && g->armed.cap_cdeg >= g->config.cap_cdeg, "cap");
    must(out->session_id == g->armed.session_id, "the session is echoed");
    if ((g->latched_any & ~PRESS_CLEARED) != 0u) {
        must(g->over, "a latched cause ends the session");
    }
}

static void check(world_t *world) {
    counters(&world->guard);
    causes(&world->guard);
    motion(world);
    kept(world);
    nobody_is_left(world);
    session(world);
    if (world->guard.slot == 3u && one_in(50)) {
        const guard_eyes_t *eyes = &world->guard.eyes;
        window_is_exact(&eyes->a, eyes->head, 10, &eyes->a.over_100);
        window_is_exact(&eyes->a, eyes->head, 50, &eyes->a.over_500);
        window_is_exact(&eyes->b, eyes->head, 25, &eyes->b.over_250);
        window_is_exact(&eyes->b, eyes->head, 30, &eyes->b.over_300);
    }
}

static void move_table(world_t *world) {
    const guard_out_t *out = &world->out;
    if (out->brake_released && out->drive_power) {
        world->milli_cdeg += (int64_t)out->applied_cdeg_s * world->gain_percent / 100;
    }
    world->milli_cdeg += world->slip_cdeg_s;
    if (world->milli_cdeg < -7000000) {
        world->milli_cdeg = -7000000;
    }
    if (world->milli_cdeg > 9000000) {
        world->milli_cdeg = 9000000;
    }
}

int main(int argc, char **argv) {
    uint64_t steps = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000u;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1u;
    uint64_t done = 0;
    uint64_t episodes = 0;
    uint64_t armed_steps = 0;
    uint64_t inverted_steps = 0;
    uint64_t moving_steps = 0;
    uint64_t seen = 0;
    static world_t world;
    dice = seed * UINT64_C(0x9E3779B97F4A7C15) + 1u;
    while (done < steps) {
        uint64_t from = dice;
        begin(&world);
        episodes++;
        for (world.ms = 0; world.ms < world.length_ms && done < steps; world.ms++, done++) {
            if (world.wild) {
                rave(&world);
            } else {
                live(&world);
            }
            world.before = world.guard;
            guard_step(&world.guard, &world.pins, &world.command, &world.request, &world.out);
            world.armed_once = world.armed_once || world.guard.armed.session_id != 0u;
            move_table(&world);
            check(&world);
            armed_steps += world.guard.armed.session_id != 0u;
            inverted_steps += world.guard.where_cdeg < -500;
            moving_steps += world.out.applied_cdeg_s != 0;
            seen |= world.out.causes;
            if (failed != NULL) {
                printf("FAILED: %s: seed %" PRIu64 ", episode %" PRIu64 " (dice %" PRIu64 "), %s, ms %" PRIu32
                       ": angle %d, target %d, applied %d, demand %u, grant %u, back %u, excursion %u, causes %" PRIx64 "\n",
                       failed, seed, episodes, from, world.wild ? "wild" : "plausible", world.ms,
                       world.guard.where_cdeg, world.guard.motion.target_cdeg_s, world.out.applied_cdeg_s,
                       world.guard.motion.demand, world.guard.motion.grant, world.guard.motion.back,
                       world.guard.motion.excursion, world.out.causes);
                return 1;
            }
        }
    }
    printf("%" PRIu64 " steps in %" PRIu64 " episodes: armed %" PRIu64 ", inverted %" PRIu64 ", moving %" PRIu64
           ", causes %" PRIx64 "\n",
           done, episodes, armed_steps, inverted_steps, moving_steps, seen);
    return 0;
}
