/* Which motion is allowed now: from the worst demand to the one velocity that the ramp follows.
 *
 * Above level the table moves only while a button is held; automatic motion exists below level and ends at level. The
 * guard drives every RETURN, HOLD and held motion that it demands; while it demands nothing it follows the
 * host's velocity, within limits, and a return that the host has begun it finishes alone when the host is gone.
 */
#include "guard_parts.h"

#define DEGREE_CDEG 100
#define SLOWEST_CDEG_S 15
#define CREEP_CDEG_S 50
#define ARRIVED_CDEG 10
#define MOVED_CDEG 50
#define PAUSE_MS 10000u
#define STILL_BEFORE_TILT_MS 5000u
#define RAISE_PAUSE_CDEG 3000
#define RAISE_PAUSE_MS 10000u
#define BACK_OFF_CDEG 200
#define BACK_OFF_BELOW_CDEG (-300)
#define RELIEF_CDEG 100
#define EXCURSION_MS 6000u
#define BLIND_MARGIN_MS UINT32_C(3000)
/* A live host may stand still in a return for its tone and a pause; then the guard moves by itself. */
#define ZEROS_MS 15000u

static int16_t lesser(int16_t one, int16_t other) { return one < other ? one : other; }

static bool armed(const guard_t *g) { return g->armed.session_id != 0u; }

static bool believed_angle(const guard_t *g) { return g->eyes.lost != EYES_BOTH; }

/* One place of a square root: keep the bit if the square still fits. */
static uint8_t place(uint16_t value, uint8_t root, uint8_t bit) {
    uint8_t with = (uint8_t)(root | bit);
    return (uint16_t)(with * (uint16_t)with) <= value ? with : root;
}

static uint8_t root_of(uint16_t value) {
    uint8_t root = place(value, 0, 128);
    root = place(value, root, 64);
    root = place(value, root, 32);
    root = place(value, root, 16);
    root = place(value, root, 8);
    root = place(value, root, 4);
    root = place(value, root, 2);
    return place(value, root, 1);
}

/* The speed at which the table can still come to rest gently within a distance; 0 when there is none left. */
static int16_t approach(const guard_t *g, int16_t distance_cdeg, int16_t limit_cdeg_s) {
    if (distance_cdeg <= 0) {
        return 0;
    }
    uint32_t square = (uint32_t)distance_cdeg * (uint16_t)g->config.deceleration_cdeg_s2 * 2u;
    int16_t speed = root_of((uint16_t)(square < UINT16_MAX ? square : UINT16_MAX));
    return lesser(limit_cdeg_s, speed > SLOWEST_CDEG_S ? speed : SLOWEST_CDEG_S);
}

/* The first degree of a motion proves its direction, at no more than 0.5°/s. */
static int16_t first_degree(const guard_t *g, bool toward_up, int16_t limit_cdeg_s) {
    const guard_motion_t *motion = &g->motion;
    int16_t slow = lesser(limit_cdeg_s, g->config.first_degree_cdeg_s);
    if (motion->target_cdeg_s == 0 || (motion->target_cdeg_s > 0) != toward_up) {
        return slow;
    }
    int16_t done = (int16_t)(g->where_cdeg - motion->start_cdeg);
    return (toward_up ? done : -done) < DEGREE_CDEG ? slow : limit_cdeg_s;
}

/* Whether everything that deepening needs is healthy, beyond a demand of ALLOW: straps closed by both contacts, mains
 * on, a session that is not over, a set begun or left to begin, and rest: a set that came back to level is not resumed
 * before its 60 s. */
static bool may_deepen(const guard_t *g) {
    if (!armed(g) || g->over || !guard_straps_shut(&g->people) || (g->people.stable & SW_MAINS) == 0u) {
        return false;
    }
    return g->inverted_ms == 0u ? g->sets < g->armed.sets : g->rest_ms == 0u;
}

/* H32: rested for 60 s since the last inversion, straps closed. */
static bool may_raise(const guard_t *g) {
    return g->inverted_ms == 0u && !(armed(g) && guard_straps_open(&g->people));
}

/* Returns ------------------------------------------------------------------------------------------------------ */

static void begin_return(guard_t *g, uint8_t kind) {
    guard_motion_t *motion = &g->motion;
    uint32_t depth = (uint32_t)guard_size(g->eyes.deeper_cdeg);
    /* Alone for 3 s the guard has sounded already (H17). */
    bool sounded = g->actuator.applied_cdeg_s > 0 || ((g->standing[GUARD_RETURN] | g->latched[GUARD_RETURN]) &
                                                       (BIT_OF(17) | BIT_OF(18))) != 0u;
    motion->back = kind;
    motion->tone_ms = sounded ? 0u : g->config.tone_ms;
    motion->pause_ms = motion->zeros_ms = 0;
    motion->from_a = g->eyes.a.word;
    motion->from_b = g->eyes.b.word;
    motion->blind = motion->blind_ms = 0;
    /* 1.2 × the deeper angle at the slow speed and 3 s more, in cdeg/s · ms. */
    motion->blind_limit = depth * 1200u + BLIND_MARGIN_MS * (uint16_t)g->config.slow_cdeg_s;
}

static bool past_level(int16_t word, int16_t from) {
    return word >= 0 && word - from >= MOVED_CDEG;
}

/* By both sensors, or in doubt by two of three, or by one that moved with it and is past 0°; and the host may end at
 * level what it has begun. */
static bool arrived(const guard_t *g) {
    const guard_motion_t *motion = &g->motion;
    const guard_link_t *link = &g->link;
    if (guard_doubtful(&g->eyes)) {
        /* A lost sensor has no word: a loose contact may read anything. */
        bool past_a = (g->eyes.lost & EYE_A) == 0u && past_level(g->eyes.a.word, motion->from_a);
        bool past_b = (g->eyes.lost & EYE_B) == 0u && past_level(g->eyes.b.word, motion->from_b);
        return guard_votes_for_level(g) >= 2u || past_a || past_b;
    }
    if (g->where_cdeg >= GUARD_RETURN_AIM_CDEG - ARRIVED_CDEG) {
        return true;
    }
    bool host_goes_on = link->lapsed || link->plan_return || link->demand == GUARD_RETURN || link->velocity_cdeg_s != 0;
    return motion->back != GUARD_OWN_RETURN && !host_goes_on && g->where_cdeg >= -GUARD_LEVEL_BAND_CDEG;
}

static void count_return(guard_t *g) {
    guard_motion_t *motion = &g->motion;
    if (motion->tone_ms > 0u && motion->pause_ms == 0u && g->actuator.applied_cdeg_s >= 0) {
        motion->tone_ms--;
    }
    if (motion->pause_ms > 0u) {
        motion->pause_ms--;
    }
    if (!guard_doubtful(&g->eyes)) {
        motion->blind = motion->blind_ms = 0;
    } else if (motion->target_cdeg_s > 0 && !motion->blind_out) {
        motion->blind += (uint16_t)g->config.slow_cdeg_s;
        motion->blind_ms++;
        motion->blind_out =
            motion->blind >= motion->blind_limit || motion->blind_ms >= (uint32_t)GUARD_LONGEST_BLIND_RETURN_MS;
    }
}

/* Begin, carry on, pause or end a return. */
void guard_follow_return(guard_t *g, uint8_t worst) {
    guard_motion_t *motion = &g->motion;
    const guard_link_t *link = &g->link;
    bool wanted = (g->standing[GUARD_RETURN] | g->latched[GUARD_RETURN]) != 0u;
    bool pressed = (g->people.pressed & GUARD_RETURN_KEY) != 0u;
    bool host = !link->lapsed && link->demand == GUARD_RETURN;
    if (worst >= GUARD_HOLD) {
        motion->back = GUARD_NOT_RETURNING;
        return;
    }
    if (motion->back == GUARD_NOT_RETURNING) {
        motion->pause_used = motion->pause_used && (wanted || worst >= GUARD_STOP);
        if (g->where_cdeg >= -GUARD_LEVEL_BAND_CDEG) {
            return;
        }
        if (wanted || pressed) {
            begin_return(g, GUARD_OWN_RETURN);
        } else if (host) {
            begin_return(g, GUARD_HOST_RETURN);
        } else if (!link->lapsed && link->plan_return && worst < GUARD_STOP && armed(g)) {
            begin_return(g, GUARD_PLAN_RETURN);
        }
        return;
    }
    count_return(g);
    if (arrived(g)) {
        motion->back = GUARD_NOT_RETURNING;
        return;
    }
    if (wanted || pressed || link->latched) {
        motion->back = GUARD_OWN_RETURN;
    } else if (host && motion->back == GUARD_PLAN_RETURN) {
        motion->back = GUARD_HOST_RETURN;
    }
    if (pressed) {
        motion->pause_ms = 0;
    } else if (!motion->pause_used && ((g->people.pressed & GUARD_STOP_KEY) != 0u || link->host_stop)) {
        motion->pause_ms = PAUSE_MS;
        motion->pause_used = true;
    }
}

/* The demand in force: a return under way is not downgraded by a lesser cause; at level a RETURN is a STOP. */
uint8_t guard_in_force(const guard_t *g, uint8_t worst) {
    if (worst >= GUARD_HOLD) {
        return worst;
    }
    if (g->motion.back == GUARD_OWN_RETURN) {
        return GUARD_RETURN;
    }
    if (g->motion.back != GUARD_NOT_RETURNING) {
        return worst == GUARD_STOP ? (uint8_t)GUARD_RETURN : worst;
    }
    return worst == GUARD_RETURN ? (uint8_t)GUARD_STOP : worst;
}

/* How fast a return under way may go now: slower near level, 0 while it waits. */
static int16_t return_speed(guard_t *g) {
    guard_motion_t *motion = &g->motion;
    const guard_link_t *link = &g->link;
    bool doubtful = guard_doubtful(&g->eyes);
    int16_t limit = g->config.speed_cdeg_s;
    if (motion->tone_ms > 0u || motion->pause_ms > 0u) {
        return 0;
    }
    if (doubtful) {
        limit = lesser(limit, g->config.degraded_cdeg_s);
    }
    if (((g->standing[GUARD_RETURN] | g->latched[GUARD_RETURN]) & SLOW_CAUSES) != 0u) {
        limit = first_degree(g, true, lesser(limit, g->config.slow_cdeg_s));
    }
    if (motion->back == GUARD_PLAN_RETURN) {
        limit = lesser(limit, g->armed.speed_cdeg_s);
    }
    int16_t speed = approach(g, (int16_t)(GUARD_RETURN_AIM_CDEG - g->where_cdeg), limit);
    if (doubtful) {
        int16_t creep = lesser(limit, CREEP_CDEG_S);
        return speed > creep ? speed : creep;
    }
    if (motion->back == GUARD_OWN_RETURN || link->lapsed) {
        return speed;
    }
    if (link->velocity_cdeg_s >= SLOWEST_CDEG_S) {
        motion->zeros_ms = 0;
        return lesser(speed, link->velocity_cdeg_s);
    }
    motion->zeros_ms = guard_up(motion->zeros_ms, ZEROS_MS);
    return motion->zeros_ms < ZEROS_MS ? 0 : speed;
}

/* Excursions after a block ------------------------------------------------------------------------------------- */

/* Creeping to its end, once the table has come to rest. */
static int16_t excursion_speed(const guard_t *g) {
    const guard_motion_t *motion = &g->motion;
    int16_t left = (int16_t)(motion->to_cdeg - g->where_cdeg);
    int16_t limit = g->config.first_degree_cdeg_s;
    if (!motion->begun) {
        return 0;
    }
    if (motion->excursion == BACK_OFF) {
        return approach(g, (int16_t)(left - ARRIVED_CDEG), limit);
    }
    return (int16_t)-approach(g, (int16_t)(-left - ARRIVED_CDEG), limit);
}

static void follow_excursion(guard_t *g, uint8_t demand) {
    guard_motion_t *motion = &g->motion;
    uint32_t now = g->standing[GUARD_STOP] | g->standing[GUARD_HOLD];
    bool out = (now & BIT_OF(14)) != 0u;
    bool homeward = (now & BIT_OF(15)) != 0u;
    if ((out || homeward) && !motion->was_blocked) {
        motion->excursion = NO_EXCURSION;
        motion->spent_ms = 0;
        motion->begun = false;
        if (out && g->where_cdeg < BACK_OFF_BELOW_CDEG) {
            motion->excursion = BACK_OFF;
            motion->to_cdeg = lesser((int16_t)(g->where_cdeg + BACK_OFF_CDEG), GUARD_RETURN_AIM_CDEG);
        } else if (homeward && !motion->relief_used) {
            int16_t to = (int16_t)(g->where_cdeg - RELIEF_CDEG);
            motion->excursion = RELIEF;
            motion->to_cdeg = to > g->deepest_cdeg ? to : g->deepest_cdeg;
        }
        motion->relief_used = motion->relief_used || homeward;
    }
    motion->was_blocked = out || homeward;
    if (motion->excursion == NO_EXCURSION) {
        return;
    }
    motion->spent_ms++;
    if (!motion->begun && g->eyes.still_ms >= STOOD_MS) {
        motion->begun = true;
        motion->spent_ms = 0;
    }
    bool fits = demand == GUARD_STOP;
    if (motion->excursion == RELIEF) {
        /* Outward: only with straps closed and a direction that nobody doubts. */
        fits = demand == GUARD_HOLD && guard_straps_shut(&g->people) && (g->latched_any & MOTION_CAUSES) == 0u;
    }
    if (!fits || guard_doubtful(&g->eyes) || motion->spent_ms > EXCURSION_MS ||
        (motion->begun && excursion_speed(g) == 0)) {
        motion->excursion = NO_EXCURSION;
        motion->begun = false;
    }
}

/* Held motion -------------------------------------------------------------------------------------------------- */

/* A press counts only under the demand that it answers; being blocked, or STOP, asks for a new one. */
static void follow_held(guard_t *g, uint8_t demand) {
    guard_motion_t *motion = &g->motion;
    const guard_people_t *people = &g->people;
    uint16_t keys = GUARD_RETURN_KEY | GUARD_TILT;
    if ((demand != GUARD_STOP && demand != GUARD_HOLD) || demand != motion->demand || motion->was_blocked ||
        (people->pressed & GUARD_STOP_KEY) != 0u) {
        motion->held_panel = motion->held_patient = false;
        return;
    }
    motion->held_panel = (people->pressed & keys) != 0u || (motion->held_panel && (people->held & keys) != 0u);
    motion->held_patient = people->patient_pressed || (motion->held_patient && people->patient_open);
}

/* From rest toward level, slow: from below under HOLD by RETURN or the patient's own button, from above by TILT. */
static int16_t held_toward_level(const guard_t *g, uint8_t demand) {
    const guard_motion_t *motion = &g->motion;
    uint16_t held = motion->held_panel ? g->people.held : 0u;
    int16_t angle = g->where_cdeg;
    if (motion->held != HELD_IN_TROUBLE && g->eyes.still_ms < STOOD_MS) {
        return 0;
    }
    if (angle < GUARD_RETURN_AIM_CDEG) {
        if (demand == GUARD_HOLD && ((held & GUARD_RETURN_KEY) != 0u || motion->held_patient)) {
            int16_t limit = first_degree(g, true, lesser(g->config.slow_cdeg_s, g->config.speed_cdeg_s));
            return approach(g, (int16_t)(GUARD_RETURN_AIM_CDEG - angle), limit);
        }
    } else if (angle > GUARD_LEVEL_BAND_CDEG && (held & GUARD_TILT) != 0u &&
               !(armed(g) && guard_straps_open(&g->people))) {
        int16_t limit = lesser(first_degree(g, false, g->config.slow_cdeg_s), g->config.above_cdeg_s);
        return (int16_t)-approach(g, angle, limit);
    }
    return 0;
}

/* Grants ------------------------------------------------------------------------------------------------------- */

/* A leave lasts as long as its button is held. */
static uint8_t still_granted(const guard_t *g) {
    uint8_t grant = g->motion.grant;
    uint16_t button = grant == LIFT ? GUARD_RAISE : GUARD_TILT;
    return (g->people.held & button) != 0u ? grant : (uint8_t)NO_GRANT;
}

/* What TILT and RAISE give leave to do: a fresh TILT lowers to 0° from above, else deepens; a fresh RAISE lifts. The
 * table must be still before a press that deepens, at level for 5 s. */
static uint8_t granted(const guard_t *g, uint8_t demand) {
    const guard_motion_t *motion = &g->motion;
    const guard_people_t *people = &g->people;
    if (motion->back != GUARD_NOT_RETURNING || (people->held & GUARD_RETURN_KEY) != 0u || g->link.lapsed ||
        !guard_supplied(g)) {
        return NO_GRANT;
    }
    if (demand != GUARD_ALLOW) {
        /* Neither lowering from above nor raising is deepening. */
        return demand != GUARD_NO_DEEPENING || motion->grant == DEEPEN ? (uint8_t)NO_GRANT : still_granted(g);
    }
    if ((people->pressed & GUARD_TILT) != 0u) {
        if (g->where_cdeg > GUARD_LEVEL_BAND_CDEG) {
            return LOWER;
        }
        if (!may_deepen(g)) {
            return NO_GRANT;
        }
        uint16_t still_ms = g->where_cdeg >= -GUARD_LEVEL_BAND_CDEG ? STILL_BEFORE_TILT_MS : STOOD_MS;
        return g->eyes.still_ms >= still_ms ? DEEPEN : NO_GRANT;
    }
    if ((people->pressed & GUARD_RAISE) != 0u) {
        /* A button held since before the rest was over lifts nobody when it is. */
        return may_raise(g) ? LIFT : NO_GRANT;
    }
    if (motion->grant == DEEPEN && motion->target_cdeg_s > 0) {
        return NO_GRANT; /* eased toward level, the table goes deeper only by a fresh press */
    }
    if (motion->grant == DEEPEN && !g->armed.held_tilt) {
        return DEEPEN;
    }
    return still_granted(g);
}

/* H32: raised further than +30° only after 10 s there and by a fresh press. */
static void follow_raise(guard_t *g) {
    guard_motion_t *motion = &g->motion;
    bool pressed = (g->people.pressed & GUARD_RAISE) != 0u;
    if (g->where_cdeg < RAISE_PAUSE_CDEG - DEGREE_CDEG) {
        motion->raise_free = false;
        motion->raise_pause_ms = 0;
        return;
    }
    if (g->actuator.applied_cdeg_s == 0) {
        motion->raise_pause_ms = guard_up(motion->raise_pause_ms, RAISE_PAUSE_MS);
    }
    motion->raise_free = motion->raise_free || (pressed && motion->raise_pause_ms >= RAISE_PAUSE_MS) ||
                         g->where_cdeg > RAISE_PAUSE_CDEG + DEGREE_CDEG;
}

/* The host's velocity, cut to what region, grant, held button and limits allow, while nothing forbids motion. */
static int16_t wished_down(const guard_t *g, int16_t want) {
    const guard_motion_t *motion = &g->motion;
    int16_t angle = g->where_cdeg;
    if (motion->grant == LOWER) {
        int16_t limit = first_degree(g, false, lesser(want, g->config.above_cdeg_s));
        return approach(g, (int16_t)(angle - ARRIVED_CDEG), limit);
    }
    if (motion->grant != DEEPEN || !may_deepen(g)) {
        return 0;
    }
    int16_t limit = lesser(want, lesser(g->armed.speed_cdeg_s, g->config.speed_cdeg_s));
    return approach(g, (int16_t)(angle - g->armed.cap_cdeg), first_degree(g, false, limit));
}

static int16_t wished_up(const guard_t *g, int16_t want) {
    const guard_motion_t *motion = &g->motion;
    int16_t angle = g->where_cdeg;
    /* Within level a table that stands is left standing: noise about the aim is no reason to move. */
    if (angle < -GUARD_LEVEL_BAND_CDEG ||
        (motion->target_cdeg_s > 0 && angle < GUARD_RETURN_AIM_CDEG && motion->grant != LIFT)) {
        int16_t limit = first_degree(g, true, lesser(want, g->config.speed_cdeg_s));
        return approach(g, (int16_t)(GUARD_RETURN_AIM_CDEG - angle), limit);
    }
    if (motion->grant != LIFT) {
        return 0;
    }
    int16_t stops_at = !motion->raise_free && g->config.boarding_cdeg > RAISE_PAUSE_CDEG ? RAISE_PAUSE_CDEG : g->config.boarding_cdeg;
    int16_t limit = first_degree(g, true, lesser(want, g->config.above_cdeg_s));
    return approach(g, (int16_t)(stops_at - angle - ARRIVED_CDEG), limit);
}

/* The velocity that the demand in force leaves. */
static int16_t velocity_of(guard_t *g, uint8_t demand) {
    const guard_motion_t *motion = &g->motion;
    int16_t want = g->link.lapsed ? 0 : g->link.velocity_cdeg_s;
    if (demand == GUARD_CUT || !believed_angle(g)) {
        return 0;
    }
    if (demand == GUARD_HOLD || (demand >= GUARD_STOP && motion->back == GUARD_NOT_RETURNING)) {
        int16_t creep = excursion_speed(g);
        return creep != 0 ? creep : held_toward_level(g, demand);
    }
    if (motion->back != GUARD_NOT_RETURNING) {
        return return_speed(g);
    }
    if (want < 0) {
        return (int16_t)-wished_down(g, (int16_t)-want);
    }
    return want > 0 ? wished_up(g, want) : 0;
}

/* Whether a held button moves the table, and whether in trouble. */
static uint8_t held_by(const guard_motion_t *motion, int16_t velocity, uint8_t demand) {
    if (velocity == 0 || motion->back != GUARD_NOT_RETURNING || motion->begun) {
        return NOT_HELD;
    }
    if (demand >= GUARD_STOP) {
        return HELD_IN_TROUBLE;
    }
    return motion->grant == LOWER || motion->grant == LIFT ? HELD : NOT_HELD;
}

/* Decide what the ramp follows in this millisecond; `demand` is in force. */
void guard_move(guard_t *g, uint8_t demand) {
    guard_motion_t *motion = &g->motion;
    follow_excursion(g, demand);
    follow_held(g, demand);
    motion->grant = granted(g, demand);
    follow_raise(g);
    int16_t velocity = velocity_of(g, demand);
    if (motion->target_cdeg_s == 0 || (velocity > 0) != (motion->target_cdeg_s > 0)) {
        motion->start_cdeg = g->where_cdeg;
    }
    motion->held = held_by(motion, velocity, demand);
    motion->target_cdeg_s = velocity;
    motion->demand = demand;
}

/* RESET: forget returns, excursions and held motion; the pause at +30° stays as it is. */
void guard_motion_reset(guard_t *g) {
    guard_motion_t *motion = &g->motion;
    motion->back = GUARD_NOT_RETURNING;
    motion->grant = NO_GRANT;
    motion->excursion = NO_EXCURSION;
    motion->begun = false;
    motion->tone_ms = motion->pause_ms = 0;
    motion->blind = motion->blind_ms = 0;
    motion->blind_out = motion->pause_used = motion->relief_used = motion->was_blocked = false;
    motion->held_panel = motion->held_patient = false;
}

/* H32: at level or above, still, rested, and nothing about to move. */
bool guard_may_disarm(const guard_t *g) {
    bool at_level = believed_angle(g) && g->where_cdeg >= -GUARD_LEVEL_BAND_CDEG;
    return at_level && g->eyes.still_ms > 0u && g->inverted_ms == 0u && g->motion.target_cdeg_s == 0;
}
