/* Whether the drive does what it is told: H10 to H15, judged once a sample, each finding kept until the next.
 *
 * "Applied" is the set-point that the drive follows, after the ramp; everything here compares with it, never with a
 * command. Travel is judged sensor by sensor; H11 and H12 need the word of both, or of the only one believed.
 */
#include "guard_parts.h"

#define SAMPLE_MS 10
#define DEGREE_CDEG 100
#define HALF_DEGREE_CDEG 50
#define SETTLE_MS 500
#define SPRING_MS 1000
/* A ramp of 2°/s to rest, standing, and the brake's setting take 1.5 s; 7 s later the last back-off or relief has begun. */
#define SPRUNG_MS 8000u
/* Further than noise. */
#define SPRUNG_LEAST_CDEG 10
#define CLIMBING_CDEG 300
#define REST_MS 1000u
#define SLOWING_MS 200u
#define CAUGHT_LIMIT_MS 2000u
#define STALL_MS 150u
#define BLOCK_MS 500u
#define CAP_MS 5000u
/* Torque first and the brake take 740 ms at most, one dip of the supply 500 ms more. */
#define VAIN_MS 2000u
/* H13 b allows 1.3 × applied or 0.7°/s more, whichever is greater: at no more than 2°/s that is always the latter. */
#define OVERSPEED_CDEG_S 70
#if GUARD_FASTEST_CDEG_S * 3 > OVERSPEED_CDEG_S * 10
#error "1.3 x applied is the greater limit of H13 b here, and nobody computes it"
#endif
#define MS_A_S 1000
#define PEAK_SAMPLES 5u

/* Places of H10 to H15 in `found` and `value`. */
enum { H10, H11, H12, H13, H14, H15 };

static void find(guard_drive_t *drive, uint8_t hazard, uint8_t demand, int16_t value) {
    if (demand > drive->found[hazard]) {
        drive->found[hazard] = demand;
        drive->value[hazard] = value;
    }
}

static uint16_t up_by_sample(uint16_t ms) { return ms < CAP_MS ? (uint16_t)(ms + SAMPLE_MS) : CAP_MS; }

static void start_mark(guard_mark_t *mark, const guard_eyes_t *eyes) {
    mark->a_cdeg = eyes->a.word;
    mark->b_cdeg = eyes->b.word;
    mark->driven = 0;
    mark->peak_ma = 0;
}

/* Forget every window that has begun. */
static void start_over(guard_drive_t *drive) {
    drive->sign = 0;
    drive->rested = false;
    drive->zero_ms = 0;
    drive->halves = drive->block_halves = false;
    drive->stall_ms = 0;
    drive->spring = 0;
}

void guard_drive_reset(guard_t *g) {
    start_over(&g->drive);
    g->drive.caught = FREE;
}

static int16_t moved(int16_t mark, int16_t word, int8_t sign) {
    if (mark == GUARD_NO_ANGLE || word == GUARD_NO_ANGLE) {
        return 0;
    }
    return (int16_t)(sign * (word - mark));
}

static bool believed(const guard_eyes_t *eyes, uint8_t eye) { return (eyes->lost & eye) == 0u; }

/* The lesser travel from rest of the believed sensors, so that one alone says nothing. */
static int16_t travel_from_rest(const guard_t *g) {
    const guard_eyes_t *eyes = &g->eyes;
    int16_t a = guard_size(moved(g->drive.rest_a, eyes->a.word, 1));
    int16_t b = guard_size(moved(g->drive.rest_b, eyes->b.word, 1));
    if (!believed(eyes, EYE_A)) {
        return b;
    }
    if (!believed(eyes, EYE_B)) {
        return a;
    }
    return a < b ? a : b;
}

/* Whether every believed sensor's own slope is beyond a limit. */
static bool all_beyond(const guard_eyes_t *eyes, int32_t slope_a, int32_t slope_b, int32_t limit) {
    return (!believed(eyes, EYE_A) || slope_a > limit) && (!believed(eyes, EYE_B) || slope_b > limit);
}

static bool all_faster(const guard_eyes_t *eyes, int32_t slope_a, int32_t slope_b, int32_t limit) {
    return all_beyond(eyes, guard_size_of(slope_a), guard_size_of(slope_b), limit);
}

/* HOLD where brake set and drive off can still be helped by powering the drive, else CUT. */
static uint8_t caught_by(const guard_t *g) {
    return !g->actuator.brake_released && !g->actuator.drive_power ? GUARD_HOLD : GUARD_CUT;
}

/* The largest set-point of the last 500 ms: ten stretches of 50 ms and the one running. */
static int16_t larger(int16_t one, int16_t other) { return one > other ? one : other; }

static int16_t fastest_applied(const guard_drive_t *drive) {
    const int16_t *peaks = drive->peaks;
    int16_t most = larger(larger(drive->peak, peaks[0]), larger(peaks[1], peaks[2]));
    most = larger(most, larger(larger(peaks[3], peaks[4]), larger(peaks[5], peaks[6])));
    return larger(most, larger(larger(peaks[7], peaks[8]), peaks[9]));
}

static void follow_peaks(guard_drive_t *drive) {
    int16_t *peaks = drive->peaks;
    drive->peak = larger(drive->peak, guard_size(drive->applied));
    drive->peak_samples++;
    if (drive->peak_samples >= PEAK_SAMPLES) {
        peaks[9] = peaks[8];
        peaks[8] = peaks[7];
        peaks[7] = peaks[6];
        peaks[6] = peaks[5];
        peaks[5] = peaks[4];
        peaks[4] = peaks[3];
        peaks[3] = peaks[2];
        peaks[2] = peaks[1];
        peaks[1] = peaks[0];
        peaks[0] = drive->peak;
        drive->peak = guard_size(drive->applied);
        drive->peak_samples = 0;
    }
}

static int16_t further(int16_t far, int16_t word, int8_t sign) {
    if (far == GUARD_NO_ANGLE || word == GUARD_NO_ANGLE) {
        return word;
    }
    return sign * word > sign * far ? word : far;
}

/* What blocked the table is elastic, and so is the gear that pressed against it. When the drive lets go, the table jumps
 * back by that and by the gap of the gear, against a brake that holds: that is no fall, and no overspeed. */
static void follow_spring(guard_drive_t *drive, const guard_eyes_t *eyes) {
    if (drive->spring == 0) {
        return;
    }
    if (drive->spring_ms <= SAMPLE_MS) {
        drive->spring = 0;
        return;
    }
    drive->spring_ms = (uint16_t)(drive->spring_ms - SAMPLE_MS);
    drive->spring_a = further(drive->spring_a, eyes->a.word, drive->spring);
    drive->spring_b = further(drive->spring_b, eyes->b.word, drive->spring);
}

/* Whether one sensor went back by more than noise and by no more than a degree and the gap of the gear. */
static bool is_sprung(const guard_t *g, int16_t far, int16_t word) {
    int16_t back = (int16_t)-moved(far, word, g->drive.spring);
    return SPRUNG_LEAST_CDEG <= back && back <= DEGREE_CDEG + g->config.backlash_cdeg;
}

static bool springs_back(const guard_t *g) {
    const guard_drive_t *drive = &g->drive;
    const guard_eyes_t *eyes = &g->eyes;
    return drive->spring != 0 && (!believed(eyes, EYE_A) || is_sprung(g, drive->spring_a, eyes->a.word)) &&
           (!believed(eyes, EYE_B) || is_sprung(g, drive->spring_b, eyes->b.word));
}

/* Whether one sensor went so fast over 100 ms, and not in one step: without its largest step it still went three
 * quarters of the way that is left, 80 ms. */
static bool ran(const guard_eye_t *eye, int32_t slope, int16_t rest_of_way) {
    if (eye->slope_100 < 0) {
        return eye->slope_100 <= -slope && eye->rest_of_way <= -rest_of_way;
    }
    return eye->slope_100 >= slope && eye->rest_of_way >= rest_of_way;
}

#define RAN(eye, cdeg_s) ran((eye), SLOPE_100(cdeg_s), (int16_t)((cdeg_s) * 6 / 100))

/* H13 a: 4°/s over 100 ms, or 6°/s by either sensor. The mean of 4°/s needs 3°/s by each, so that one sensor's step is
 * not taken for a fall, which would leave the patient inverted. */
static void runaway(guard_t *g) {
    const guard_eyes_t *eyes = &g->eyes;
    bool a = believed(eyes, EYE_A);
    bool b = believed(eyes, EYE_B);
    if (!guard_seen_for(eyes, 10u) || springs_back(g)) {
        return;
    }
    int32_t twice = guard_size_of(guard_twice(eyes, eyes->a.slope_100, eyes->b.slope_100));
    if (twice >= 2 * SLOPE_100(400) && (!a || RAN(&eyes->a, 300)) && (!b || RAN(&eyes->b, 300))) {
        find(&g->drive, H13, caught_by(g), 400);
    } else if ((a && RAN(&eyes->a, 600)) || (b && RAN(&eyes->b, 600))) {
        find(&g->drive, H13, caught_by(g), 600);
    }
}

/* H13 b: over 250 ms faster than the greatest of 1.3 × applied and applied + 0.7°/s, one backlash allowed for. */
static void overspeed(guard_t *g) {
    const guard_eyes_t *eyes = &g->eyes;
    if (!guard_seen_for(eyes, 25u) || springs_back(g)) {
        return;
    }
    int32_t twice = guard_size_of(guard_twice(eyes, eyes->a.slope_250, eyes->b.slope_250));
    int32_t applied = guard_size(g->drive.applied);
    if (twice <= 2 * SLOPE_250(applied + OVERSPEED_CDEG_S)) {
        return;
    }
    applied = fastest_applied(&g->drive) + OVERSPEED_CDEG_S;
    int32_t limit = SLOPE_250(applied + (int32_t)g->config.backlash_cdeg * 4); /* one backlash in 250 ms */
    if (twice > 2 * limit && all_faster(eyes, eyes->a.slope_250, eyes->b.slope_250, limit)) {
        find(&g->drive, H13, caught_by(g), (int16_t)applied);
    }
}

/* H12: set-point zero for 1 s, then 1° and the backlash from rest, or 0.5°/s for 500 ms. Unarmed with the brake set
 * people climb on: 3°, and no speed. */
static void uncommanded(guard_t *g) {
    const guard_eyes_t *eyes = &g->eyes;
    bool climbing = g->armed.session_id == 0u && !g->actuator.brake_released;
    int16_t limit = climbing ? CLIMBING_CDEG : (int16_t)(DEGREE_CDEG + g->config.backlash_cdeg);
    int16_t travel = travel_from_rest(g);
    if (travel > limit) {
        find(&g->drive, H12, caught_by(g), travel);
    } else if (!climbing && all_faster(eyes, eyes->a.slope_500, eyes->b.slope_500, SLOPE_500(50))) {
        find(&g->drive, H12, caught_by(g), 50);
    }
}

/* Take where the table stands now as where it came to rest: whoever climbed on may have moved it. */
void guard_rest_here(guard_t *g) {
    g->drive.rest_a = g->eyes.a.word;
    g->drive.rest_b = g->eyes.b.word;
    g->drive.rested = true;
}

/* Not slower than when it was caught, by the last 100 ms only: a longer window still shows the fall that the drive has
 * already ended. */
static bool not_slowing(const guard_t *g) {
    const guard_eyes_t *eyes = &g->eyes;
    /* Twice the slope over 250 ms is v · 52, the slope over 100 ms v · 33 / 20. */
    int32_t limit = g->drive.caught_slope * 33;
    if (limit < SLOPE_100(100) * 1040) {
        limit = SLOPE_100(100) * 1040;
    }
    return all_faster(eyes, eyes->a.slope_100 * 1040, eyes->b.slope_100 * 1040, limit);
}

/* H12 after the drive was powered at zero speed: not slowing within 200 ms, or moving again, is a CUT. */
static void watch_caught(guard_t *g) {
    guard_drive_t *drive = &g->drive;
    const guard_eyes_t *eyes = &g->eyes;
    drive->caught_ms = up_by_sample(drive->caught_ms);
    if (drive->caught == SLOWING) {
        guard_rest_here(g);
        if (eyes->still_ms > 0u) {
            drive->caught = CAUGHT;
        } else if (drive->caught_ms >= CAUGHT_LIMIT_MS || (drive->caught_ms >= SLOWING_MS && not_slowing(g))) {
            drive->caught = LET_GO;
        }
    } else if (drive->zero_ms >= REST_MS) { /* a held motion that has just ended still stands in the 500 ms window */
        bool moving = travel_from_rest(g) > DEGREE_CDEG + g->config.backlash_cdeg;
        if (moving || all_faster(eyes, eyes->a.slope_500, eyes->b.slope_500, SLOPE_500(50))) {
            drive->caught = LET_GO;
        }
    }
    if (drive->caught == LET_GO) {
        find(drive, H12, GUARD_CUT, 50);
    }
}

/* From now on the drive, powered at zero speed beside the set brake, has to bring the table to rest. */
static void catch_it(guard_t *g) {
    guard_drive_t *drive = &g->drive;
    drive->caught = SLOWING;
    drive->caught_ms = 0;
    drive->caught_slope = guard_size_of(guard_twice(&g->eyes, g->eyes.a.slope_250, g->eyes.b.slope_250));
    guard_rest_here(g);
}

/* H12 and H13 with the set-point at zero. */
static void follow_resting(guard_t *g) {
    guard_drive_t *drive = &g->drive;
    drive->sign = 0;
    drive->halves = drive->block_halves = false;
    drive->stall_ms = 0;
    drive->zero_ms = up_by_sample(drive->zero_ms);
    if (drive->zero_ms >= REST_MS && !drive->rested) {
        guard_rest_here(g);
    }
    bool resting = g->actuator.phase == GUARD_RESTING;
    if (drive->caught == SLOWING || drive->caught == CAUGHT) {
        if (!resting || g->actuator.drive_power) {
            watch_caught(g);
            return;
        }
        drive->caught = FREE; /* whose HOLD it was, it is over */
    }
    if (resting && g->actuator.drive_power && !drive->powered) {
        /* The host's HOLD came before our own finding and has powered the drive: the same motion is being caught now. A
         * table that is still has nothing to slow down from. */
        if (g->eyes.still_ms == 0u) {
            catch_it(g);
            return;
        }
        guard_rest_here(g);
    }
    if (drive->rested) {
        uncommanded(g);
    }
    runaway(g);
    overspeed(g);
    uint8_t worst = drive->found[H12] > drive->found[H13] ? drive->found[H12] : drive->found[H13];
    if (worst == GUARD_ALLOW) {
        return;
    }
    if (g->eyes.still_ms >= REST_MS) {
        guard_rest_here(g); /* it has come to rest elsewhere; the cause is latched, the mark may not keep RESET away */
    }
    if (worst == GUARD_HOLD) {
        catch_it(g);
    }
}

/* H10: less than a quarter of what was driven was travelled, over the latest 1° and backlash, current normal. */
static void frozen(guard_t *g, int32_t driven, uint16_t current_ma) {
    guard_drive_t *drive = &g->drive;
    guard_eyes_t *eyes = &g->eyes;
    int16_t travel_a = moved(drive->before.a_cdeg, eyes->a.word, drive->sign);
    int16_t travel_b = moved(drive->before.b_cdeg, eyes->b.word, drive->sign);
    uint8_t stuck = eyes->lost;
    if ((int32_t)travel_a * (4 * (int32_t)MS_A_S) < driven) {
        stuck |= EYE_A;
    }
    if ((int32_t)travel_b * (4 * (int32_t)MS_A_S) < driven) {
        stuck |= EYE_B;
    }
    if (stuck == eyes->lost) {
        return;
    }
    bool pressing = (uint32_t)current_ma * 10u >= (uint32_t)g->config.stall_ma * 6u;
    if (stuck != EYES_BOTH) {
        if (pressing) {
            return; /* what is blocked hardly moves, and noise would name one of them; apart they are found as H08 */
        }
        eyes->lost = stuck;
        guard_weigh(eyes);
        find(drive, H10, GUARD_RETURN, travel_a < travel_b ? travel_a : travel_b);
        return;
    }
    /* The newer half alone tells the current: a drive that died in the older one still pulled then. */
    uint16_t peak = drive->half.peak_ma;
    if (peak <= g->config.idle_ma) {
        find(drive, H10, GUARD_HOLD, (int16_t)peak); /* idle currents fit */
    } else if (!pressing) {
        find(drive, H10, GUARD_CUT, larger(travel_a, travel_b));
    }
}

static void follow_halves(guard_t *g, int16_t step, uint16_t current_ma) {
    guard_drive_t *drive = &g->drive;
    guard_mark_t *half = &drive->half;
    half->driven += (int32_t)step;
    if (current_ma > half->peak_ma) {
        half->peak_ma = current_ma;
    }
    if (half->driven * 2 < (int32_t)(DEGREE_CDEG + g->config.backlash_cdeg) * MS_A_S) {
        return;
    }
    if (drive->halves) {
        frozen(g, drive->before.driven + half->driven, current_ma);
    }
    drive->before = *half;
    drive->halves = true;
    start_mark(half, &g->eyes);
}

/* H11: 1° (held motion: 0.5°) and the backlash against the set-point, or 0.5°/s against it over 300 ms. */
static void wrong_direction(guard_t *g) {
    guard_drive_t *drive = &g->drive;
    const guard_eyes_t *eyes = &g->eyes;
    int16_t limit = (int16_t)((g->motion.held != NOT_HELD ? HALF_DEGREE_CDEG : DEGREE_CDEG) + g->config.backlash_cdeg);
    int16_t against_a = (int16_t)-moved(drive->far_a, eyes->a.word, drive->sign);
    int16_t against_b = (int16_t)-moved(drive->far_b, eyes->b.word, drive->sign);
    if (!believed(eyes, EYE_A)) {
        against_a = against_b;
    }
    if (believed(eyes, EYE_B) && against_b < against_a) {
        against_a = against_b;
    }
    if (against_a > limit) {
        find(drive, H11, GUARD_CUT, against_a);
    } else if (all_beyond(eyes, -drive->sign * eyes->a.slope_300, -drive->sign * eyes->b.slope_300, SLOPE_300(50))) {
        find(drive, H11, GUARD_CUT, 50);
    }
}

/* H14, H15 without a full stall: over 1 s at ≥ 0.5°/s hardly any travel, at 60 % of the current limit or more. */
static bool held_back(const guard_t *g, uint16_t current_ma) {
    const guard_drive_t *drive = &g->drive;
    const guard_eyes_t *eyes = &g->eyes;
    int32_t driven = drive->block_before.driven + drive->block.driven;
    if (driven < INT32_C(50) * MS_A_S || (uint32_t)current_ma * 10u < (uint32_t)g->config.stall_ma * 6u) {
        return false;
    }
    int16_t a = moved(drive->block_before.a_cdeg, eyes->a.word, drive->sign);
    int16_t b = moved(drive->block_before.b_cdeg, eyes->b.word, drive->sign);
    if (!believed(eyes, EYE_A)) {
        a = b;
    }
    if (believed(eyes, EYE_B) && b > a) {
        a = b;
    }
    return ((int32_t)a + g->config.backlash_cdeg) * (4 * (int32_t)MS_A_S) < driven;
}

static bool follow_blocks(guard_t *g, int16_t step, uint16_t current_ma) {
    guard_drive_t *drive = &g->drive;
    drive->block.driven += (int32_t)step;
    drive->block_ms = (uint16_t)(drive->block_ms + SAMPLE_MS);
    if (drive->block_ms < BLOCK_MS) {
        return false;
    }
    bool blocked = drive->block_halves && held_back(g, current_ma);
    drive->block_before = drive->block;
    drive->block_halves = true;
    drive->block_ms = 0;
    start_mark(&drive->block, &g->eyes);
    return blocked;
}

/* H10, H11, H13, H14 and H15 while the drive is told to turn. */
static void follow_driven(guard_t *g, uint16_t current_ma) {
    guard_drive_t *drive = &g->drive;
    const guard_eyes_t *eyes = &g->eyes;
    int8_t sign = drive->applied > 0 ? 1 : -1;
    int16_t step = (int16_t)(guard_size(drive->applied) * SAMPLE_MS);
    drive->rested = false;
    if (sign != drive->sign) {
        /* From rest the start itself is the reference; after a reversal the table may coast for 500 ms, and what pressed
         * against a block is let go of at first. */
        drive->reversed = drive->zero_ms < SETTLE_MS || drive->spring == -sign;
        drive->sign = sign;
        drive->since_ms = 0;
        drive->far_a = eyes->a.word;
        drive->far_b = eyes->b.word;
        start_mark(&drive->half, eyes);
        start_mark(&drive->block, eyes);
        drive->halves = drive->block_halves = false;
        drive->block_ms = drive->stall_ms = 0;
    } else if (drive->since_ms < (int16_t)CAP_MS) {
        drive->since_ms = (int16_t)(drive->since_ms + SAMPLE_MS);
    }
    drive->zero_ms = 0;
    bool settled = drive->since_ms >= SETTLE_MS;
    if (drive->reversed && !settled) {
        drive->far_a = eyes->a.word;
        drive->far_b = eyes->b.word;
    } else {
        drive->far_a = further(drive->far_a, eyes->a.word, sign);
        drive->far_b = further(drive->far_b, eyes->b.word, sign);
    }
    /* After a reversal the current is at first still that of pressing the other way. */
    if ((settled || !drive->reversed) && (uint32_t)current_ma * 100u >= (uint32_t)g->config.stall_ma * 95u) {
        drive->stall_ms = up_by_sample(drive->stall_ms);
    } else {
        drive->stall_ms = 0;
    }
    if (drive->since_ms >= 0) {
        follow_halves(g, step, current_ma);
    }
    if (settled) {
        wrong_direction(g);
    }
    runaway(g);
    overspeed(g);
    bool held = drive->since_ms >= 0 && follow_blocks(g, step, current_ma);
    if (drive->stall_ms >= STALL_MS || held) {
        bool homeward = sign > 0 && eyes->angle_cdeg < -GUARD_LEVEL_BAND_CDEG;
        find(drive, homeward ? H15 : H14, homeward ? GUARD_HOLD : GUARD_STOP,
             (int16_t)(current_ma > INT16_MAX ? INT16_MAX : current_ma));
        /* What blocks it is elastic: it springs back while the set-point still ramps to zero. */
        drive->since_ms = -SPRING_MS;
        drive->reversed = true;
        drive->spring = sign;
        drive->spring_ms = SPRUNG_MS;
        drive->far_a = drive->spring_a = eyes->a.word;
        drive->far_b = drive->spring_b = eyes->b.word;
        /* Nor does that tell frozen sensors, or a second block. */
        start_mark(&drive->half, eyes);
        start_mark(&drive->block, eyes);
        drive->halves = drive->block_halves = false;
        drive->block_ms = 0;
    }
}

/* H10 before any travel: below level motion upward is asked for and the set-point stays zero, because an end switch that
 * cannot be true takes the drive's leg, or a supply that comes and goes never lets it start. */
static void asked_in_vain(guard_t *g) {
    guard_drive_t *drive = &g->drive;
    if (g->motion.target_cdeg_s <= 0 || drive->applied != 0 || g->where_cdeg >= -GUARD_LEVEL_BAND_CDEG) {
        drive->vain_ms = 0;
        return;
    }
    drive->vain_ms = up_by_sample(drive->vain_ms);
    if (drive->vain_ms > VAIN_MS) {
        find(drive, H10, GUARD_HOLD, 0);
    }
}

/* Judge the newest sample. */
void guard_follow_drive(guard_t *g, const guard_pins_t *pins) {
    guard_drive_t *drive = &g->drive;
    uint16_t current_ma = pins->current_ma == GUARD_NO_CURRENT ? 0u : pins->current_ma;
    drive->found[H10] = drive->found[H11] = drive->found[H12] = GUARD_ALLOW;
    drive->found[H13] = drive->found[H14] = drive->found[H15] = GUARD_ALLOW;
    follow_peaks(drive);
    follow_spring(drive, &g->eyes);
    asked_in_vain(g);
    if (g->eyes.lost == EYES_BOTH) {
        start_over(drive); /* nothing can be judged; what was caught stays caught */
    } else if (drive->applied == 0) {
        follow_resting(g);
    } else {
        follow_driven(g, current_ma);
    }
    drive->powered = g->actuator.phase != GUARD_RESTING || g->actuator.drive_power;
}
