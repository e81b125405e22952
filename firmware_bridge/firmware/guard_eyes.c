/* The angle sensors: which are believed, the angle they agree on, and how fast it changes.
 *
 * Two sensors are believed until one is missing, out of range or jumps alone (then it is lost), or both stay apart for
 * longer than sampling skew explains (then they are disputed and the deeper one counts). Neither heals by itself: RESET
 * makes them believed again. Slopes slide with their windows: a sample costs a few additions, never a loop.
 */
#include "guard_parts.h"

#define APART_CDEG 200
#define APART_MS 200u
#define JUMP_CDEG 150
#define SAMPLE_MS 10u
#define STEP_SAMPLES 9u
#define LONGEST_STILL_MS 60000u
#define STILL_WINDOW_MS 500u
/* Twice the slope of 0.2°/s over 500 ms: both sensors' slopes are added, not averaged. */
#define STILL_SLOPE (2 * SLOPE_500(20))

int16_t guard_size(int16_t value) { return value < 0 ? (int16_t)-value : value; }

int32_t guard_size_of(int32_t value) { return value < 0 ? -value : value; }

/* Count up by one, and stop at the top. */
uint16_t guard_up(uint16_t value, uint16_t top) { return value < top ? (uint16_t)(value + 1u) : top; }

static bool in_range(int16_t word) { return GUARD_SENSOR_LOW_CDEG <= word && word <= GUARD_SENSOR_HIGH_CDEG; }

static bool steady(int16_t word, int16_t before) {
    int16_t step = (int16_t)(word - before);
    return -JUMP_CDEG <= step && step <= JUMP_CDEG;
}

/* Half of a sum, rounded down as the host does. */
static int16_t half(int16_t sum) { return (int16_t)((sum < 0 ? sum - 1 : sum) / 2); }

bool guard_doubtful(const guard_eyes_t *eyes) { return eyes->lost != 0u || eyes->disputed; }

/* Say which angle counts, given which sensors are lost; with both lost the last one known stays. */
void guard_weigh(guard_eyes_t *eyes) {
    int16_t a = eyes->a.word;
    int16_t b = eyes->b.word;
    if (eyes->lost == EYES_BOTH) {
        return;
    }
    eyes->known = true;
    if (eyes->lost == EYE_A) {
        eyes->angle_cdeg = eyes->deeper_cdeg = b;
    } else if (eyes->lost == EYE_B) {
        eyes->angle_cdeg = eyes->deeper_cdeg = a;
    } else {
        eyes->deeper_cdeg = a < b ? a : b;
        eyes->angle_cdeg = eyes->disputed ? eyes->deeper_cdeg : half((int16_t)(a + b));
    }
}

static void compare(guard_eyes_t *eyes) {
    int16_t apart = guard_size((int16_t)(eyes->a.word - eyes->b.word));
    if (apart <= APART_CDEG) {
        eyes->apart_ms = 0;
        return;
    }
    eyes->apart_ms = (uint16_t)(eyes->apart_ms + SAMPLE_MS);
    if (eyes->apart_ms > APART_MS) {
        eyes->apart_ms = APART_MS;
        eyes->disputed = true;
    }
}

/* Take in one sample of both sensors. */
void guard_look(guard_t *g, const guard_pins_t *pins) {
    guard_eyes_t *eyes = &g->eyes;
    int16_t a = pins->angle_a_cdeg;
    int16_t b = pins->angle_b_cdeg;
    bool was_known = eyes->a.word != GUARD_NO_ANGLE && eyes->b.word != GUARD_NO_ANGLE;
    if (!in_range(a)) {
        eyes->lost |= EYE_A;
        a = GUARD_NO_ANGLE;
    }
    if (!in_range(b)) {
        eyes->lost |= EYE_B;
        b = GUARD_NO_ANGLE;
    }
    if (eyes->lost == 0u && was_known) {
        bool steady_a = steady(a, eyes->a.word);
        bool steady_b = steady(b, eyes->b.word);
        if (steady_a != steady_b) {
            eyes->lost = steady_a ? EYE_B : EYE_A;
        }
    }
    eyes->a.word = a;
    eyes->b.word = b;
    if (eyes->lost == 0u) {
        compare(eyes);
    } else {
        eyes->apart_ms = 0;
    }
    guard_weigh(eyes);
}

/* Slide a window of n samples on by one: everything moves one place toward the start. */
static int32_t slide(guard_window_t *window, int16_t last, int16_t newest, int16_t oldest) {
    window->weighted += (int32_t)last * newest - (window->sum - oldest);
    window->sum += (int32_t)newest - oldest;
    return 2 * window->weighted - last * window->sum;
}

static int16_t back(const guard_eye_t *eye, uint8_t head, uint8_t samples) {
    uint8_t at = (uint8_t)(head + GUARD_SAMPLES - samples);
    return eye->ring[at >= GUARD_SAMPLES ? at - GUARD_SAMPLES : at];
}

static void follow_step(guard_jump_t *largest, int16_t step) {
    if (step >= largest->cdeg || largest->age >= STEP_SAMPLES) {
        largest->cdeg = step > 0 ? step : 0;
        largest->age = 0;
    } else {
        largest->age++;
    }
}

/* A sensor that steps has not turned: what is left without its largest step tells motion from a bad contact. A step the
 * other way takes nothing away: a word that jumps out and back again went nowhere. */
static void follow_steps(guard_eye_t *eye, int16_t newest, int16_t oldest) {
    int16_t step = (int16_t)(newest - eye->kept);
    int16_t way = (int16_t)(newest - oldest);
    follow_step(&eye->up, step);
    follow_step(&eye->down, (int16_t)-step);
    int16_t rest = way < 0 ? (int16_t)(way + eye->down.cdeg) : (int16_t)(way - eye->up.cdeg);
    eye->rest_of_way = (rest < 0) == (way < 0) ? rest : 0;
}

static void follow(guard_eye_t *eye, uint8_t head) {
    bool here = eye->word != GUARD_NO_ANGLE;
    int16_t newest = here ? eye->word : eye->kept;
    follow_steps(eye, newest, back(eye, head, STEP_SAMPLES));
    eye->good = here ? (uint8_t)guard_up(eye->good, GUARD_SAMPLES) : 0u;
    eye->kept = newest;
    eye->slope_100 = slide(&eye->over_100, 9, newest, back(eye, head, 10u));
    eye->slope_250 = slide(&eye->over_250, 24, newest, back(eye, head, 25u));
    eye->slope_300 = slide(&eye->over_300, 29, newest, back(eye, head, 30u));
    eye->slope_500 = slide(&eye->over_500, 49, newest, eye->ring[head]);
    eye->ring[head] = newest;
}

void guard_follow_a(guard_t *g) { follow(&g->eyes.a, g->eyes.head); }

void guard_follow_b(guard_t *g) {
    follow(&g->eyes.b, g->eyes.head);
    g->eyes.head = g->eyes.head + 1u < GUARD_SAMPLES ? (uint8_t)(g->eyes.head + 1u) : 0u;
}

/* Both sensors' slopes added, or twice the only believed one's; with none believed, both again. */
int32_t guard_twice(const guard_eyes_t *eyes, int32_t slope_a, int32_t slope_b) {
    if (eyes->lost == EYE_A) {
        return 2 * slope_b;
    }
    if (eyes->lost == EYE_B) {
        return 2 * slope_a;
    }
    return slope_a + slope_b;
}

/* Whether the believed sensors were in range for so many samples; with none believed, both. */
bool guard_seen_for(const guard_eyes_t *eyes, uint8_t samples) {
    return (eyes->lost == EYE_A || eyes->a.good >= samples) && (eyes->lost == EYE_B || eyes->b.good >= samples);
}

/* Still: set-point zero and less than 0.2°/s over 500 ms. With both sensors lost their words still count here, because
 * RESET after the manual return has to know it. */
void guard_follow_still(guard_t *g) {
    guard_eyes_t *eyes = &g->eyes;
    int32_t twice = guard_twice(eyes, eyes->a.slope_500, eyes->b.slope_500);
    if (g->drive.applied != 0 || g->actuator.applied_cdeg_s != 0 || !guard_seen_for(eyes, GUARD_SAMPLES) ||
        !(-STILL_SLOPE < twice && twice < STILL_SLOPE)) {
        eyes->still_ms = 0;
    } else if (eyes->still_ms == 0u) {
        eyes->still_ms = STILL_WINDOW_MS; /* the window itself was still */
    } else if (eyes->still_ms < LONGEST_STILL_MS) {
        eyes->still_ms = (uint16_t)(eyes->still_ms + SAMPLE_MS);
    }
}

/* Whether both sensors, as they read now, could be believed again. */
bool guard_restorable(const guard_eyes_t *eyes) {
    int16_t a = eyes->a.word;
    int16_t b = eyes->b.word;
    if (a == GUARD_NO_ANGLE || b == GUARD_NO_ANGLE) {
        return false;
    }
    return guard_size((int16_t)(a - b)) <= APART_CDEG;
}

static uint8_t vote(const guard_eyes_t *eyes, uint8_t eye, int16_t word) {
    return (eyes->lost & eye) == 0u && word >= -GUARD_LEVEL_BAND_CDEG ? 1u : 0u;
}

/* How many of A, B and the level switch say level or above. */
uint8_t guard_votes_for_level(const guard_t *g) {
    const guard_eyes_t *eyes = &g->eyes;
    uint8_t votes = vote(eyes, EYE_A, eyes->a.word);
    votes = (uint8_t)(votes + vote(eyes, EYE_B, eyes->b.word));
    return (uint8_t)(votes + ((g->people.stable & SW_BELOW) == 0u ? 1u : 0u));
}
