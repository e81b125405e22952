/* The hazard table, in its order, and what it leads to: latches, demands, requests, one step a millisecond.
 *
 * Every hazard of the table that is the guard's has one small function here, named after it. It says with MARK whether
 * the hazard stands and what it demands; causes from STOP upward stay latched until what clears them happens.
 * H07 and H23 are proofs, H30 and H32 rules of arming and motion: they refuse and never demand; H24, H27 to H29, H31
 * and H33 to H35 are the host's.
 */
#include "guard_parts.h"

#define BEYOND_CAP_CDEG 200
#define BEYOND_BOARDING_CDEG 200
#define UNARMED_CAP_CDEG (-100)
#define SAMPLE_MS 10u
#define SLOTS 10u
#define REST_MS (GUARD_SHORTEST_REST_S * 1000u)
#define LONGEST_COUNT_MS UINT32_C(1000000)
#define BELOW_MARGIN_S 20u
#define STRAP_WAIT_MS 10000u
#define MAINS_MS 500u
#define COUNT_CAP_MS 5000u
#define ECHO_MS 150u
#define LATCH_MS 1000u
#define ALONE_MS 3000u
#define LAPSES_IN_MS 60000u
#define RESET_MS 2000u
#define ACK_MS 500u
#define SOUND_PAUSE_MS 30000u
#define SWITCH_CDEG 300
#define SETTLED_TRAVEL_S 3600u

/* Slots of the ten milliseconds. */
enum { SLOT_LOOK, SLOT_A, SLOT_B, SLOT_STILL, SLOT_DRIVE, SLOT_ANGLES, SLOT_HEAT };

/* Causes and latches --------------------------------------------------------------------------------------------- */

/* What a cause is called where it is told: hazard numbers, but for a person's STOP. */
static uint8_t told_as(uint8_t number) { return number == CAUSE_STOP ? GUARD_STOP_CAUSE : number; }

/* Keep a cause; one that was kept already only grows worse. */
static void latch(guard_t *g, uint8_t number, uint32_t bit, uint8_t demand, int16_t value) {
    uint32_t *latched = g->latched;
    if ((g->latched_any & bit) != 0u) {
        uint32_t as_bad = latched[GUARD_CUT];
        if (demand <= GUARD_HOLD) {
            as_bad |= latched[GUARD_HOLD];
        }
        if (demand <= GUARD_RETURN) {
            as_bad |= latched[GUARD_RETURN];
        }
        if (demand <= GUARD_STOP) {
            as_bad |= latched[GUARD_STOP];
        }
        if ((as_bad & bit) != 0u) {
            return;
        }
        latched[GUARD_STOP] &= ~bit;
        latched[GUARD_RETURN] &= ~bit;
        latched[GUARD_HOLD] &= ~bit;
    } else {
        /* A held ACK answers what it was pressed for: it counts again after its release. */
        g->people.ignored |= (uint16_t)(g->people.raw & GUARD_ACK);
        g->people.ack_ms = 0;
    }
    if (g->latched_any == 0u) {
        g->first_cause = told_as(number);
        g->first_value = value;
    }
    latched[demand] |= bit;
    g->latched_any |= bit;
    g->over = g->over || (bit & PRESS_CLEARED) == 0u;
    g->edge = true;
}

/* Whether a cause that stands is kept: a lapse only when it was long, or the third. */
static bool is_kept(const guard_t *g, uint32_t bit) {
    return g->link.latched || (bit & (BIT_OF(17) | BIT_OF(18))) == 0u;
}

void guard_mark(guard_t *g, uint8_t number, uint32_t bit, uint8_t demand, int16_t value) {
    uint32_t *standing = g->standing;
    if (demand == GUARD_ALLOW) {
        if ((g->standing_any & bit) == 0u) {
            return;
        }
    } else if ((standing[demand] & bit) != 0u &&
               (demand < GUARD_STOP || (g->latched_any & bit) != 0u || !is_kept(g, bit))) {
        return;
    }
    standing[GUARD_NO_DEEPENING] &= ~bit;
    standing[GUARD_STOP] &= ~bit;
    standing[GUARD_RETURN] &= ~bit;
    standing[GUARD_HOLD] &= ~bit;
    standing[GUARD_CUT] &= ~bit;
    g->standing_any &= ~bit;
    g->edge = true;
    if (demand == GUARD_ALLOW) {
        return;
    }
    standing[demand] |= bit;
    g->standing_any |= bit;
    if (demand >= GUARD_STOP && is_kept(g, bit)) {
        latch(g, number, bit, demand, value);
    }
}

/* H20's CUT becomes a HOLD when the e-stop is released and acknowledged; no other cause grows milder. */
static void ease_estop(guard_t *g) {
    if ((g->latched[GUARD_CUT] & BIT_OF(20)) != 0u) {
        g->latched[GUARD_CUT] &= ~BIT_OF(20);
        g->latched[GUARD_HOLD] |= BIT_OF(20);
    }
}

/* The number of the lowest of some causes. */
static uint8_t lowest(uint32_t causes) {
    uint8_t number = 0;
    if ((causes & 0xFFFFu) == 0u) {
        causes >>= 16;
        number = 16;
    }
    if ((causes & 0xFFu) == 0u) {
        causes >>= 8;
        number = (uint8_t)(number + 8u);
    }
    if ((causes & 0xFu) == 0u) {
        causes >>= 4;
        number = (uint8_t)(number + 4u);
    }
    if ((causes & 3u) == 0u) {
        causes >>= 2;
        number = (uint8_t)(number + 2u);
    }
    number = (uint8_t)(number + ((causes & 1u) == 0u ? 1u : 0u));
    return number == 31u ? 36u : number;
}

/* A person's STOP, H25 and H26 end with a fresh press, once nothing causes them any more: RETURN at any time, TILT and
 * RAISE once the table has come to rest. */
static void clear_by_press(guard_t *g) {
    uint16_t keys = g->eyes.still_ms >= STOOD_MS ? GUARD_TILT | GUARD_RAISE | GUARD_RETURN_KEY : GUARD_RETURN_KEY;
    uint32_t gone = g->latched_any & PRESS_CLEARED & ~g->standing_any;
    if ((g->people.pressed & keys) == 0u || gone == 0u) {
        return;
    }
    g->latched_any &= ~gone;
    g->latched[GUARD_STOP] &= ~gone;
    g->edge = true;
    if (g->latched_any == 0u) {
        g->first_cause = 0;
        g->first_value = 0;
    } else if (g->first_cause == GUARD_STOP_CAUSE || (gone & (UINT32_C(1) << (g->first_cause & 31u))) != 0u) {
        g->first_cause = told_as(lowest(g->latched_any));
        g->first_value = 0;
    }
}

/* The table ------------------------------------------------------------------------------------------------------- */

static bool armed(const guard_t *g) { return g->armed.session_id != 0u; }

static bool below(const guard_t *g) { return g->where_cdeg < -GUARD_LEVEL_BAND_CDEG; }

static bool inverted(const guard_t *g) { return g->where_cdeg < GUARD_INVERTED_CDEG; }

static int16_t in_seconds(uint32_t ms) { return (int16_t)(ms / 1000u); }

/* H01: the angle is 2° beyond the session's cap, or beyond −1° while nothing is armed. */
static void h01(guard_t *g) {
    int16_t cap = armed(g) ? g->armed.cap_cdeg : UNARMED_CAP_CDEG;
    bool beyond = g->eyes.lost != EYES_BOTH && g->eyes.angle_cdeg < cap - BEYOND_CAP_CDEG;
    MARK(g, 1, beyond ? GUARD_RETURN : GUARD_ALLOW, g->eyes.angle_cdeg);
}

/* H02: the deeper reading is beyond −62°: a slow return if H10 to H13 are clean, else HOLD. */
static void h02(guard_t *g) {
    uint8_t demand = (g->latched_any & MOTION_CAUSES) == 0u ? GUARD_RETURN : GUARD_HOLD;
    bool beyond = g->eyes.lost != EYES_BOTH && g->eyes.deeper_cdeg < GUARD_DEVICE_LIMIT_CDEG;
    MARK(g, 2, beyond ? demand : (uint8_t)GUARD_ALLOW, g->eyes.deeper_cdeg);
}

/* H03: below −5° for longer than this set may be; or below −1° for 20 s longer and not moving toward level. */
static void h03(guard_t *g) {
    uint32_t limit_ms = (armed(g) ? g->armed.set_limit_s : (uint16_t)GUARD_LONGEST_SET_S) * UINT32_C(1000);
    const guard_eyes_t *eyes = &g->eyes;
    bool too_long = inverted(g) && g->inverted_ms > limit_ms;
    if (below(g) && g->below_ms > limit_ms + BELOW_MARGIN_S * 1000u) {
        too_long = too_long || guard_twice(eyes, eyes->a.slope_250, eyes->b.slope_250) < 2 * SLOPE_250(50);
    }
    MARK(g, 3, too_long ? GUARD_RETURN : GUARD_ALLOW, too_long ? in_seconds(g->below_ms) : (int16_t)0);
}

static int16_t straps_that_are_open(const guard_people_t *people) {
    return (int16_t)((people->left.contacts == GUARD_OPEN) + (people->right.contacts == GUARD_OPEN));
}

/* Under the policy `wait` the supervisor has 10 s to refasten, while the host lives and somebody is there. */
static bool may_wait(const guard_t *g) {
    return armed(g) && g->armed.strap_wait && !g->link.lapsed && g->link.presence_fresh &&
           g->strap_wait_ms < STRAP_WAIT_MS;
}

/* H04: a strap open below −5°: a slow return, or STOP first under the policy `wait`; refastened or not, then RETURN. */
static void h04(guard_t *g) {
    bool open = inverted(g) && guard_straps_open(&g->people);
    uint8_t demand = may_wait(g) ? GUARD_STOP : GUARD_RETURN;
    MARK(g, 4, open ? demand : (uint8_t)GUARD_ALLOW, straps_that_are_open(&g->people));
    if ((g->latched[GUARD_STOP] & BIT_OF(4)) != 0u) {
        g->strap_wait_ms = guard_up(g->strap_wait_ms, STRAP_WAIT_MS);
        if (!may_wait(g)) {
            latch(g, 4, BIT_OF(4), GUARD_RETURN, 0);
        }
    }
}

/* H05: a strap open while armed and not inverted; one that was open at RESET is excused until it was closed again. */
static void h05(guard_t *g) {
    const guard_people_t *people = &g->people;
    bool open = (people->left.contacts == GUARD_OPEN && !people->left.excused) ||
                (people->right.contacts == GUARD_OPEN && !people->right.excused);
    MARK(g, 5, open && armed(g) && !inverted(g) ? GUARD_STOP : GUARD_ALLOW, straps_that_are_open(people));
}

/* H06: contacts of one strap disagreed for more than 200 ms while armed or inverted. */
static void h06(guard_t *g) {
    bool mistrusted = g->people.left.mistrusted || g->people.right.mistrusted;
    uint8_t demand = inverted(g) ? GUARD_RETURN : GUARD_NO_DEEPENING;
    MARK(g, 6, mistrusted && (armed(g) || inverted(g)) ? demand : (uint8_t)GUARD_ALLOW, 1);
}

/* H08: the sensors disagree, or one is lost: a slow return on what is left, HOLD when that took too long. */
static void h08(guard_t *g) {
    const guard_eyes_t *eyes = &g->eyes;
    uint8_t demand = g->motion.blind_out ? GUARD_HOLD : GUARD_RETURN;
    bool doubtful = guard_doubtful(eyes) && eyes->lost != EYES_BOTH;
    int16_t value = eyes->lost != 0u ? (int16_t)1 : guard_size((int16_t)(eyes->a.word - eyes->b.word));
    MARK(g, 8, doubtful ? demand : (uint8_t)GUARD_ALLOW, value);
}

/* H09: both angles are lost; nothing electric can be trusted to bring the patient back. */
static void h09(guard_t *g) { MARK(g, 9, g->eyes.lost == EYES_BOTH ? GUARD_CUT : GUARD_ALLOW, 0); }

/* H10: the angle stands still while the drive is told to turn. */
static void h10(guard_t *g) { MARK(g, 10, g->drive.found[0], g->drive.value[0]); }

/* H11: it turns the wrong way. */
static void h11(guard_t *g) { MARK(g, 11, g->drive.found[1], g->drive.value[1]); }

/* H12: it moves without a command. */
static void h12(guard_t *g) { MARK(g, 12, g->drive.found[2], g->drive.value[2]); }

/* H13: it moves too fast. */
static void h13(guard_t *g) { MARK(g, 13, g->drive.found[3], g->drive.value[3]); }

/* H14: it is blocked going outward, or any way above level. */
static void h14(guard_t *g) { MARK(g, 14, g->drive.found[4], g->drive.value[4]); }

/* H15: it is blocked on the way back. */
static void h15(guard_t *g) { MARK(g, 15, g->drive.found[5], g->drive.value[5]); }

/* H16: the heat budget is used up to the reserve kept for a return, or the drive says so itself. */
static void h16(guard_t *g) {
    bool hot = g->heat > g->config.heat_limit || (g->people.stable & SW_FAULT) != 0u;
    MARK(g, 16, hot ? GUARD_RETURN : GUARD_ALLOW, 1);
}

/* What a lease that is gone demands, while that matters: armed, or below level. */
static uint8_t lapse_demand(const guard_t *g) {
    if (g->link.lapse_ms == 0u) {
        return GUARD_ALLOW;
    }
    return g->link.lapse_ms > ALONE_MS ? GUARD_RETURN : GUARD_STOP;
}

/* H17: the host is silent: STOP; past 1 s latched, after 3 s RETURN, even if frames come back. */
static void h17(guard_t *g) {
    bool silent = g->link.heard_ms > g->config.lease_ms || (g->latched_any & BIT_OF(17)) != 0u;
    MARK(g, 17, silent ? lapse_demand(g) : (uint8_t)GUARD_ALLOW, (int16_t)g->link.lapse_ms);
}

/* H18: frames come, but none that renews the lease: the same. */
static void h18(guard_t *g) {
    bool heard = g->link.heard_ms <= g->config.lease_ms && (g->latched_any & BIT_OF(17)) == 0u;
    MARK(g, 18, heard ? lapse_demand(g) : (uint8_t)GUARD_ALLOW, (int16_t)g->link.lapse_ms);
}

/* H19: the guard woke up below −1°: only the held button moves the table, until RESET at level. */
static void h19(guard_t *g) {
    bool woke_below = g->eyes.known && below(g);
    MARK(g, 19, woke_below ? GUARD_HOLD : GUARD_ALLOW, g->where_cdeg);
    MARK(g, 19, GUARD_ALLOW, 0); /* it happened; nothing stands */
}

/* H20: either contact of the e-stop is open: CUT at once; released and acknowledged it stays a HOLD until RESET. */
static void h20(guard_t *g) {
    uint8_t demand = GUARD_ALLOW;
    if (g->people.estop == ESTOP_PRESSED) {
        demand = GUARD_CUT;
    } else if (g->people.estop == ESTOP_HELD_AFTER) {
        demand = GUARD_HOLD;
        ease_estop(g);
    }
    MARK(g, 20, demand, 1);
}

/* H21: mains away for more than 500 ms: a slow return on battery, without one HOLD. The battery's check is a condition of
 * starting: a return goes on until nothing carries the drive, which is a HOLD even while the mains seem to be there. */
static void h21(guard_t *g) {
    bool dead = g->unfed_ms > MAINS_MS;
    uint8_t demand = g->carried && !dead ? GUARD_RETURN : GUARD_HOLD;
    MARK(g, 21, dead || g->mains_ms > MAINS_MS ? demand : (uint8_t)GUARD_ALLOW, (int16_t)g->mains_ms);
}

/* H22: the patient's circuit is open, pressed or broken, while armed or below level. */
static void h22(guard_t *g) {
    MARK(g, 22, g->people.patient_open && (armed(g) || below(g)) ? GUARD_RETURN : GUARD_ALLOW, 1);
}

/* H25: TILT or RAISE held longer than any planned travel and 60 s. */
static void h25(guard_t *g) { MARK(g, 25, g->people.stuck ? GUARD_STOP : GUARD_ALLOW, in_seconds(g->people.move_ms)); }

/* H26: TILT with RAISE, or both plan keys. */
static void h26(guard_t *g) { MARK(g, 26, g->people.crossed ? GUARD_STOP : GUARD_ALLOW, 2); }

/* H36: raised 2° beyond the boarding angle of this table, never beyond +85°. */
static void h36(guard_t *g) {
    int16_t limit = (int16_t)(g->config.boarding_cdeg + BEYOND_BOARDING_CDEG);
    if (limit > GUARD_HIGHEST_BOARDING_CDEG) {
        limit = GUARD_HIGHEST_BOARDING_CDEG;
    }
    bool beyond = g->eyes.lost != EYES_BOTH && g->eyes.angle_cdeg > limit;
    MARK(g, 36, beyond ? GUARD_STOP : GUARD_ALLOW, g->eyes.angle_cdeg);
}

/* A person's STOP: the button while it is held. */
static void person_stop(guard_t *g) {
    bool asked = (g->people.held & GUARD_STOP_KEY) != 0u;
    MARK(g, CAUSE_STOP, asked ? GUARD_STOP : GUARD_ALLOW, 1);
}

/* The host's own HOLD and CUT are taken over and kept, as it keeps ours, also for a cause that was kept here for less;
 * only when they rise, so that RESET here is not undone by a host that has not followed yet. The e-stop is ours to judge. */
static void host_trouble(guard_t *g) {
    const guard_link_t *link = &g->link;
    uint8_t level = link->lapsed || link->demand < GUARD_HOLD ? (uint8_t)GUARD_ALLOW : link->demand;
    uint8_t cause = link->stop_cause;
    if (level > g->host_level && cause != 20u && 1u <= cause && cause <= 23u) {
        latch(g, cause, UINT32_C(1) << cause, level, 0);
    }
    g->host_level = level;
}

/* The list, in the order of the table; what hangs on the angles is judged once a sample. */
static void check(guard_t *g) {
    bool angles = g->slot == SLOT_ANGLES;
    bool drive = g->slot == SLOT_DRIVE;
    if (angles) {
        h01(g);
        h02(g);
        h03(g);
    }
    h04(g);
    h05(g);
    h06(g);
    if (angles) {
        h08(g);
        h09(g);
    }
    if (drive) {
        h10(g);
        h11(g);
        h12(g);
        h13(g);
        h14(g);
        h15(g);
    }
    if (g->slot == SLOT_HEAT) {
        h16(g);
    }
    h17(g);
    h18(g);
    h20(g);
    h21(g);
    h22(g);
    h25(g);
    h26(g);
    if (angles) {
        h36(g);
    }
    person_stop(g);
    host_trouble(g);
}

/* What the checks look at ------------------------------------------------------------------------------------------ */

static uint16_t up_by_sample(uint16_t value, uint16_t top) {
    return value < top ? (uint16_t)(value + SAMPLE_MS) : top;
}

/* Where the table is, how deep it was, how long it is inverted, at rest, below level: once a sample. */
static void follow_timing(guard_t *g) {
    const guard_eyes_t *eyes = &g->eyes;
    if (eyes->lost != EYES_BOTH) {
        g->where_cdeg = eyes->angle_cdeg;
        if (below(g) && guard_doubtful(eyes) && guard_votes_for_level(g) >= 2u) {
            g->where_cdeg = -GUARD_LEVEL_BAND_CDEG;
        }
    }
    if (!below(g)) {
        g->rest_ms = up_by_sample(g->rest_ms, REST_MS);
        if (g->rest_ms >= REST_MS) {
            g->inverted_ms = g->below_ms = 0;
            g->deepest_cdeg = 0;
        }
        return;
    }
    g->rest_ms = 0;
    g->below_ms = g->below_ms < LONGEST_COUNT_MS ? g->below_ms + SAMPLE_MS : LONGEST_COUNT_MS;
    if (g->where_cdeg < g->deepest_cdeg) {
        g->deepest_cdeg = g->where_cdeg;
    }
    if (!inverted(g)) {
        return;
    }
    if (g->inverted_ms == 0u) {
        g->sets = (uint8_t)guard_up(g->sets, UINT8_MAX);
    }
    g->inverted_ms = g->inverted_ms < LONGEST_COUNT_MS ? g->inverted_ms + SAMPLE_MS : LONGEST_COUNT_MS;
}

/* The drive's heat: the square of the current over 80 ms, less what it bears for ever; an unknown current counts as the
 * limit. */
static void follow_heat(guard_t *g, const guard_pins_t *pins) {
    uint16_t current_ma = pins->current_ma == GUARD_NO_CURRENT ? g->config.stall_ma : pins->current_ma;
    uint16_t amount = (uint16_t)(current_ma >> GUARD_HEAT_SHIFT);
    g->heat_squares += (uint32_t)amount * amount;
    g->heat_samples++;
    if (g->heat_samples < GUARD_HEAT_PERIOD_MS / SAMPLE_MS) {
        return;
    }
    uint32_t gain = g->heat_squares / (GUARD_HEAT_PERIOD_MS / SAMPLE_MS);
    uint32_t leak = g->config.heat_leak;
    g->heat_squares = 0;
    g->heat_samples = 0;
    if (gain < leak) {
        g->heat = g->heat > leak - gain ? g->heat - (leak - gain) : 0u;
    } else {
        g->heat = g->config.heat_budget - g->heat > gain - leak ? g->heat + (gain - leak) : g->config.heat_budget;
    }
}

/* How long the mains are away, how long nothing carries the drive, and whether a battery was good at some time since the
 * mains went; one that has carried a return may finish it, though the mains come and go. */
static void follow_mains(guard_t *g) {
    bool good = g->config.has_battery && (g->people.stable & SW_BATTERY) != 0u;
    if ((g->people.stable & SW_MAINS) != 0u) {
        g->mains_ms = 0;
        g->carried = g->carried && g->motion.back != GUARD_NOT_RETURNING;
    } else {
        g->mains_ms = guard_up(g->mains_ms, COUNT_CAP_MS);
        g->carried = g->carried || good;
    }
    g->unfed_ms = guard_supplied(g) ? 0u : guard_up(g->unfed_ms, COUNT_CAP_MS);
}

/* The link -------------------------------------------------------------------------------------------------------- */

void guard_sent(guard_t *g, uint16_t sequence) {
    guard_link_t *link = &g->link;
    uint8_t place = (uint8_t)(sequence % GUARD_SENT);
    link->sent_ms[place] = g->clock_ms;
    link->sent_sequence[place] = sequence;
    link->sent_valid |= (uint16_t)(1u << place);
}

static bool renews(const guard_t *g, const guard_command_t *command) {
    const guard_link_t *link = &g->link;
    uint8_t place = (uint8_t)(command->echo % GUARD_SENT);
    return command->session_id == g->armed.session_id && (link->sent_valid & (uint16_t)(1u << place)) != 0u &&
           link->sent_sequence[place] == command->echo && g->clock_ms - link->sent_ms[place] <= ECHO_MS &&
           command->demand <= GUARD_CUT;
}

static void take(guard_link_t *link, const guard_command_t *command) {
    int16_t velocity = command->velocity_cdeg_s;
    if (velocity > GUARD_FASTEST_CDEG_S) {
        velocity = GUARD_FASTEST_CDEG_S;
    }
    if (velocity < -GUARD_FASTEST_CDEG_S) {
        velocity = -GUARD_FASTEST_CDEG_S;
    }
    link->host_stop = command->stop_cause == GUARD_STOP_CAUSE && link->stop_cause != GUARD_STOP_CAUSE;
    link->velocity_cdeg_s = velocity;
    link->demand = command->demand;
    link->stop_cause = command->stop_cause;
    link->plan_return = command->plan_return;
    link->presence_fresh = command->presence_fresh;
    link->age_ms = 0;
}

/* A lapse begins: is it the third within a minute? */
static void begin_lapse(guard_link_t *link) {
    link->latched = link->ago_2_ms < LAPSES_IN_MS;
    link->ago_2_ms = link->ago_1_ms;
    link->ago_1_ms = 0;
}

/* The lease: renewed by a command of this session that echoes telemetry not older than 150 ms, and by nothing else. */
static void follow_link(guard_t *g, const guard_command_t *command) {
    guard_link_t *link = &g->link;
    link->host_stop = false;
    link->age_ms = guard_up(link->age_ms, COUNT_CAP_MS);
    link->heard_ms = guard_up(link->heard_ms, COUNT_CAP_MS);
    link->ago_1_ms = guard_up(link->ago_1_ms, LAPSES_IN_MS);
    link->ago_2_ms = guard_up(link->ago_2_ms, LAPSES_IN_MS);
    if (command->fresh) {
        link->heard_ms = 0;
        if (renews(g, command)) {
            take(link, command);
        }
    }
    link->lapsed = link->age_ms > g->config.lease_ms;
    if (link->lapse_ms == 0u) {
        if (!link->lapsed || !(armed(g) || below(g))) {
            return;
        }
        begin_lapse(link);
    } else if (!link->lapsed && !link->latched) {
        link->lapse_ms = 0;
        return;
    }
    link->lapse_ms = guard_up(link->lapse_ms, ALONE_MS + 1u);
    link->latched = link->latched || link->lapse_ms > LATCH_MS;
}

/* RESET ------------------------------------------------------------------------------------------------------------ */

/* Whether RESET may clear: at level or above by both sensors as they read now, still, every cause gone. Straps may be
 * open, sensors are believed again, and the e-stop is released and acknowledged. */
static bool may_reset(const guard_t *g) {
    const uint32_t *standing = g->standing;
    uint32_t excused = STRAP_CAUSES | SENSOR_CAUSES | BIT_OF(17) | BIT_OF(18);
    uint32_t in_the_way = standing[GUARD_STOP] | standing[GUARD_RETURN] | (standing[GUARD_HOLD] & ~BIT_OF(20));
    in_the_way = (in_the_way | standing[GUARD_CUT]) & ~excused;
    const guard_eyes_t *eyes = &g->eyes;
    if (g->people.ack_ms < RESET_MS || in_the_way != 0u || g->link.lapsed) {
        return false;
    }
    if ((g->latched_any & BIT_OF(11)) != 0u || eyes->still_ms == 0u || !guard_restorable(eyes)) {
        return false;
    }
    return (int32_t)eyes->a.word + eyes->b.word >= -2 * GUARD_LEVEL_BAND_CDEG;
}

static void reset(guard_t *g) {
    guard_people_t *people = &g->people;
    uint32_t *latched = g->latched;
    latched[GUARD_STOP] = latched[GUARD_RETURN] = latched[GUARD_HOLD] = latched[GUARD_CUT] = 0;
    g->latched_any = 0;
    g->first_cause = 0;
    g->first_value = 0;
    g->strap_wait_ms = 0;
    g->link.latched = false;
    g->link.lapse_ms = 0;
    people->ignored |= GUARD_ACK;
    people->ack_ms = 0;
    people->estop = ESTOP_RELEASED;
    people->left.excused = people->left.contacts == GUARD_OPEN;
    people->right.excused = people->right.contacts == GUARD_OPEN;
    g->eyes.lost = 0;
    g->eyes.disputed = false;
    g->eyes.apart_ms = 0;
    guard_weigh(&g->eyes);
    g->where_cdeg = g->eyes.angle_cdeg;
    guard_drive_reset(g);
    guard_motion_reset(g);
    MARK(g, 4, GUARD_ALLOW, 0);
    MARK(g, 5, GUARD_ALLOW, 0);
    MARK(g, 8, GUARD_ALLOW, 0);
    MARK(g, 9, GUARD_ALLOW, 0);
    MARK(g, 10, GUARD_ALLOW, 0);
    MARK(g, 17, GUARD_ALLOW, 0);
    MARK(g, 18, GUARD_ALLOW, 0);
    MARK(g, 20, GUARD_ALLOW, 0);
    g->edge = true;
}

/* Requests --------------------------------------------------------------------------------------------------------- */

static bool within(int32_t low, int32_t value, int32_t high) { return low <= value && value <= high; }

/* Whether constants lie within the compiled ceilings. */
static bool is_sound(const guard_config_t *config) {
    return config->hash != 0u && within(GUARD_CAP_CDEG_LOW, config->cap_cdeg, GUARD_CAP_CDEG_HIGH) &&
           within(GUARD_BOARDING_CDEG_LOW, config->boarding_cdeg, GUARD_BOARDING_CDEG_HIGH) &&
           within(GUARD_BACKLASH_CDEG_LOW, config->backlash_cdeg, GUARD_BACKLASH_CDEG_HIGH) &&
           within(GUARD_STALL_MA_LOW, config->stall_ma, GUARD_STALL_MA_HIGH) &&
           within(GUARD_IDLE_MA_LOW, config->idle_ma, GUARD_IDLE_MA_HIGH) &&
           within(GUARD_SPEED_CDEG_S_LOW, config->speed_cdeg_s, GUARD_SPEED_CDEG_S_HIGH) &&
           within(GUARD_DEGRADED_CDEG_S_LOW, config->degraded_cdeg_s, GUARD_DEGRADED_CDEG_S_HIGH) &&
           within(GUARD_SLOW_CDEG_S_LOW, config->slow_cdeg_s, GUARD_SLOW_CDEG_S_HIGH) &&
           within(GUARD_ABOVE_CDEG_S_LOW, config->above_cdeg_s, GUARD_ABOVE_CDEG_S_HIGH) &&
           within(GUARD_FIRST_DEGREE_CDEG_S_LOW, config->first_degree_cdeg_s, GUARD_FIRST_DEGREE_CDEG_S_HIGH) &&
           within(GUARD_DECELERATION_CDEG_S2_LOW, config->deceleration_cdeg_s2, GUARD_DECELERATION_CDEG_S2_HIGH) &&
           within(GUARD_LEASE_MS_LOW, config->lease_ms, GUARD_LEASE_MS_HIGH) &&
           within(GUARD_TONE_MS_LOW, config->tone_ms, GUARD_TONE_MS_HIGH) &&
           within(GUARD_BRAKE_MS_LOW, config->brake_ms, GUARD_BRAKE_MS_HIGH) &&
           config->heat_limit <= config->heat_budget - config->heat_budget / 10u;
}

static void use(guard_t *g, const guard_config_t *config) {
    g->config = *config;
    g->above_travel_ms = (uint32_t)config->boarding_cdeg * 1000u / (uint16_t)config->above_cdeg_s;
    g->actuator.on_flank = config->brake_on_motor_side;
    if (g->heat > config->heat_budget) {
        g->heat = config->heat_budget;
    }
}

bool guard_restore(guard_t *g, const guard_config_t *kept) {
    if (!is_sound(kept)) {
        return false;
    }
    use(g, kept);
    return true;
}

static void refuse(guard_t *g, bool because, uint32_t bits) {
    if (because) {
        g->refusals_low |= bits;
    }
}

static bool level_and_still(const guard_t *g) {
    return g->eyes.lost != EYES_BOTH && within(-GUARD_LEVEL_BAND_CDEG, g->where_cdeg, GUARD_LEVEL_BAND_CDEG) &&
           g->eyes.still_ms > 0u && g->motion.target_cdeg_s == 0;
}

/* Whether the level switch is within 3° of the angle. */
static bool switch_agrees(const guard_t *g) {
    if ((g->people.stable & SW_BELOW) != 0u) {
        return g->where_cdeg <= GUARD_RETURN_AIM_CDEG + SWITCH_CDEG;
    }
    return g->where_cdeg >= GUARD_RETURN_AIM_CDEG - SWITCH_CDEG;
}

/* What speaks against arming on the table itself. */
static void refuse_by_table(guard_t *g) {
    const guard_people_t *people = &g->people;
    uint32_t stable = people->stable;
    refuse(g, (stable & (SW_END_DOWN | SW_END_UP)) != 0u, BIT_OF(2));
    refuse(g, !guard_straps_shut(people) || !people->confirmed, BIT_OF(7));
    refuse(g, guard_doubtful(&g->eyes) || !switch_agrees(g), BIT_OF(8));
    refuse(g, !level_and_still(g), BIT_OF(12));
    refuse(g, g->heat / 2u > g->config.heat_budget / 5u || (stable & SW_FAULT) != 0u, BIT_OF(16));
    refuse(g, g->link.lapsed, BIT_OF(18));
    bool battery = !g->config.has_battery || (stable & SW_BATTERY) != 0u;
    refuse(g, (stable & SW_MAINS) == 0u || !battery, BIT_OF(21));
    refuse(g, people->patient != PATIENT_PROVEN || people->patient_open, BIT_OF(23));
    refuse(g, guard_buttons_down(people) != 0u, BIT_OF(25));
}

/* What speaks against the plan on this table. */
static void refuse_by_plan(guard_t *g, const guard_arm_t *arm) {
    const guard_config_t *config = &g->config;
    refuse(g, !within(config->cap_cdeg, arm->cap_cdeg, GUARD_INVERTED_CDEG), BIT_OF(1));
    bool timed = within(1, arm->set_limit_s, GUARD_LONGEST_SET_S) && within(1, arm->sets, GUARD_MOST_SETS);
    refuse(g, !timed || !within(1, arm->hold_today_s, GUARD_MOST_HOLD_A_DAY_S), BIT_OF(3));
    refuse(g, !within(config->first_degree_cdeg_s, arm->speed_cdeg_s, config->speed_cdeg_s), BIT_OF(13));
    refuse(g, !within(1, arm->travel_limit_s, SETTLED_TRAVEL_S), BIT_OF(25));
    refuse(g, arm->session_id == 0u || arm->config_hash != config->hash || config->hash == 0u, BIT_OF(30));
    refuse(g, armed(g) || g->motion.demand != GUARD_ALLOW, BIT_OF(30));
    if (g->inverted_ms != 0u) {
        g->refusals_high |= 1u; /* H32: rest */
    }
}

static void answer_arm(guard_t *g, const guard_arm_t *arm) {
    refuse_by_table(g);
    refuse_by_plan(g, arm);
    if (g->refusals_low != 0u || g->refusals_high != 0u) {
        return;
    }
    g->armed = *arm;
    g->people.ignored |= g->people.raw; /* let go of this moment, and counted as held until it was so for long enough */
    g->over = false;
    g->inverted_ms = g->below_ms = 0;
    g->deepest_cdeg = 0;
    g->sets = 0;
    g->link.age_ms = 0;
    guard_rest_here(g);
}

static void answer_disarm(guard_t *g, uint32_t session_id) {
    if (armed(g)) {
        refuse(g, session_id != g->armed.session_id, BIT_OF(30));
        if (!guard_may_disarm(g)) {
            g->refusals_high |= 1u; /* H32: at level or above, still, rested */
        }
        if (g->refusals_low != 0u || g->refusals_high != 0u) {
            return;
        }
    }
    g->armed.session_id = 0;
    g->over = false;
    g->link.age_ms = 0;
    g->actuator.on_flank = g->config.brake_on_motor_side; /* the next person's weight pulls elsewhere */
    guard_forget_proofs(g);
}

static void answer_configure(guard_t *g, const guard_config_t *config) {
    refuse(g, armed(g) || !is_sound(config), BIT_OF(30));
    refuse(g, !level_and_still(g), BIT_OF(12));
    if (g->refusals_low == 0u) {
        use(g, config);
    }
}

static void answer(guard_t *g, const guard_request_t *request) {
    if (!(request->arm || request->disarm || request->configure)) {
        return;
    }
    g->refusals_low = 0;
    g->refusals_high = 0;
    if (request->configure) {
        answer_configure(g, &request->config);
    }
    if (request->arm) {
        answer_arm(g, &request->arming);
    }
    if (request->disarm) {
        answer_disarm(g, request->disarm_session_id);
    }
    g->answer = g->refusals_low != 0u || g->refusals_high != 0u ? 2u : 1u;
    g->edge = true;
}

/* What is said ------------------------------------------------------------------------------------------------------ */

static uint8_t worst_of(const guard_t *g) {
    const uint32_t *standing = g->standing;
    const uint32_t *latched = g->latched;
    if ((g->standing_any | g->latched_any) == 0u) {
        return GUARD_ALLOW;
    }
    if ((standing[GUARD_CUT] | latched[GUARD_CUT]) != 0u) {
        return GUARD_CUT;
    }
    if ((standing[GUARD_HOLD] | latched[GUARD_HOLD]) != 0u) {
        return GUARD_HOLD;
    }
    if ((standing[GUARD_RETURN] | latched[GUARD_RETURN]) != 0u) {
        return GUARD_RETURN;
    }
    return (standing[GUARD_STOP] | latched[GUARD_STOP]) != 0u ? GUARD_STOP : GUARD_NO_DEEPENING;
}

static uint8_t alarm_of(const guard_t *g) {
    const uint32_t *standing = g->standing;
    const uint32_t *latched = g->latched;
    uint32_t stops = standing[GUARD_STOP] | latched[GUARD_STOP];
    uint32_t returns = standing[GUARD_RETURN] | latched[GUARD_RETURN];
    uint32_t worse = standing[GUARD_HOLD] | latched[GUARD_HOLD] | standing[GUARD_CUT] | latched[GUARD_CUT];
    if (worse != 0u || (returns & HIGH_RETURNS) != 0u || (stops & BIT_OF(4)) != 0u) {
        return GUARD_HIGH;
    }
    if (returns != 0u || (stops & MEDIUM_STOPS) != 0u || (standing[GUARD_NO_DEEPENING] & BIT_OF(6)) != 0u) {
        return GUARD_MEDIUM;
    }
    return stops != 0u ? GUARD_LOW : GUARD_NO_ALARM;
}

/* A return sounds before and while it moves; alone, or held inverted, the guard sounds the alarm itself. ACK pauses that
 * sound for 30 s. */
static uint8_t tone_of(guard_t *g, uint8_t demand) {
    bool alone = g->link.lapse_ms > 0u || (demand >= GUARD_HOLD && inverted(g));
    if (g->people.ack_ms == ACK_MS) {
        g->sound_pause_ms = SOUND_PAUSE_MS;
    } else if (g->sound_pause_ms > 0u) {
        g->sound_pause_ms--;
    }
    if (g->motion.back != GUARD_NOT_RETURNING) {
        return GUARD_TONE_RETURN;
    }
    return alone && g->sound_pause_ms == 0u ? GUARD_TONE_ALONE : GUARD_SILENT;
}

static uint8_t state_of(const guard_t *g, uint8_t demand) {
    if (demand == GUARD_CUT) {
        return GUARD_IS_CUT;
    }
    if (demand == GUARD_HOLD) {
        return GUARD_IS_HOLD;
    }
    if (demand == GUARD_RETURN || g->motion.back == GUARD_HOST_RETURN) {
        return GUARD_IS_RETURN;
    }
    if (demand == GUARD_STOP) {
        return GUARD_IS_STOP;
    }
    return armed(g) ? GUARD_IS_ARMED : GUARD_IS_IDLE;
}

static uint8_t proofs_of(const guard_people_t *people) {
    uint8_t proofs = guard_straps_proven(people) ? GUARD_STRAPS_PROVEN : 0u;
    proofs = (uint8_t)(proofs | (people->confirmed ? GUARD_STRAPS_CONFIRMED : 0u));
    return (uint8_t)(proofs | (people->patient == PATIENT_PROVEN ? GUARD_PATIENT_PROVEN : 0u));
}

static void say(guard_t *g, uint8_t own, uint8_t demand, guard_out_t *out) {
    const guard_actuator_t *actuator = &g->actuator;
    int16_t target = g->motion.target_cdeg_s;
    uint32_t causes = g->standing_any | g->latched_any;
    if (g->edge) {
        g->causes = (uint64_t)(causes & UINT32_C(0x7FFFFFFF)) | (causes >> 31 != 0u ? UINT64_C(1) << 36 : 0u);
        g->alarm = alarm_of(g);
    }
    out->applied_cdeg_s = actuator->applied_cdeg_s;
    out->drive_power = actuator->drive_power;
    out->short_motor = actuator->short_motor;
    out->brake_released = actuator->brake_released;
    out->preload = actuator->preload;
    out->held_torque = actuator->on_flank && (actuator->preload || actuator->phase == GUARD_OPENING);
    out->direction = (int8_t)(actuator->preload ? (target > 0) - (target < 0) : 0);
    out->phase = actuator->phase;
    out->tone = tone_of(g, demand);
    out->alarm = g->alarm;
    out->demand = own;
    out->state = state_of(g, demand);
    out->returning = g->motion.back;
    out->first_cause = g->first_cause;
    out->first_value = g->first_value;
    out->causes = g->causes;
    out->session_id = g->armed.session_id;
    out->config_hash = g->config.hash;
    out->refusals_low = g->refusals_low;
    out->refusals_high = g->refusals_high;
    out->answer = g->answer;
    out->proofs = proofs_of(&g->people);
    out->still = g->eyes.still_ms > 0u;
    if (g->slot == SLOT_HEAT) {
        g->inverted_s = (uint16_t)(g->inverted_ms / 1000u);
    }
    out->inverted_s = g->inverted_s;
    out->edge = g->edge;
}

/* The step ---------------------------------------------------------------------------------------------------------- */

void guard_init(guard_t *g, const guard_pins_t *pins) {
    static const guard_config_t usual = {
        .hash = 0,
        .heat_budget = GUARD_HEAT_BUDGET_USUAL,
        .heat_limit = GUARD_HEAT_LIMIT_USUAL,
        .heat_leak = GUARD_HEAT_LEAK_USUAL,
        .cap_cdeg = GUARD_CAP_CDEG_USUAL,
        .boarding_cdeg = GUARD_BOARDING_CDEG_USUAL,
        .backlash_cdeg = GUARD_BACKLASH_CDEG_USUAL,
        .stall_ma = GUARD_STALL_MA_USUAL,
        .idle_ma = GUARD_IDLE_MA_USUAL,
        .speed_cdeg_s = GUARD_SPEED_CDEG_S_USUAL,
        .degraded_cdeg_s = GUARD_DEGRADED_CDEG_S_USUAL,
        .slow_cdeg_s = GUARD_SLOW_CDEG_S_USUAL,
        .above_cdeg_s = GUARD_ABOVE_CDEG_S_USUAL,
        .first_degree_cdeg_s = GUARD_FIRST_DEGREE_CDEG_S_USUAL,
        .deceleration_cdeg_s2 = GUARD_DECELERATION_CDEG_S2_USUAL,
        .lease_ms = GUARD_LEASE_MS_USUAL,
        .tone_ms = GUARD_TONE_MS_USUAL,
        .brake_ms = GUARD_BRAKE_MS_USUAL,
        .has_battery = true,
        .brake_on_motor_side = false,
    };
    *g = (guard_t){0};
    use(g, &usual);
    g->people.patient_open = true;
    g->drive.rest_a = g->drive.rest_b = GUARD_NO_ANGLE;
    g->drive.powered = true; /* a HOLD from boot on catches nothing */
    g->eyes.a.word = g->eyes.b.word = GUARD_NO_ANGLE;
    g->link.age_ms = g->link.heard_ms = COUNT_CAP_MS;
    g->link.ago_1_ms = g->link.ago_2_ms = LAPSES_IN_MS;
    g->link.lapsed = true;
    g->slot = (uint8_t)(SLOTS - 1u);
    guard_people_init(g, pins);
    guard_look(g, pins);
    follow_timing(g);
    h19(g);
}

/* What hangs on the angles, a slot a millisecond; every sample takes in what the first slot saw. */
static void work_in_slots(guard_t *g, const guard_pins_t *pins) {
    switch (g->slot) {
    case SLOT_LOOK:
        guard_look(g, pins);
        follow_timing(g);
        g->drive.applied = g->actuator.applied_cdeg_s;
        break;
    case SLOT_A:
        guard_follow_a(g);
        break;
    case SLOT_B:
        guard_follow_b(g);
        break;
    case SLOT_STILL:
        guard_follow_still(g);
        break;
    case SLOT_DRIVE:
        guard_follow_drive(g, pins);
        break;
    case SLOT_HEAT:
        follow_heat(g, pins);
        break;
    default:
        break;
    }
}

void guard_step(guard_t *g, const guard_pins_t *pins, const guard_command_t *command, const guard_request_t *request,
                guard_out_t *out) {
    g->clock_ms++;
    g->edge = false;
    g->slot = g->slot + 1u < SLOTS ? (uint8_t)(g->slot + 1u) : 0u;
    guard_follow_people(g, pins);
    guard_follow_straps(g);
    follow_link(g, command);
    follow_mains(g);
    work_in_slots(g, pins);
    check(g);
    if (g->latched_any != 0u) {
        clear_by_press(g);
        if (may_reset(g)) {
            reset(g);
        }
    }
    answer(g, request);
    uint8_t own = worst_of(g);
    uint8_t worst = g->host_level > own ? g->host_level : own;
    guard_follow_return(g, worst);
    uint8_t demand = guard_in_force(g, worst);
    guard_move(g, demand);
    guard_actuate(g, pins, demand);
    /* A return that the host alone demands is not the guard's word, or the host would take it for one more cause. */
    say(g, g->motion.back == GUARD_HOST_RETURN ? own : guard_in_force(g, own), demand, out);
}
