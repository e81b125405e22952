/* The switches: debounce, buttons, the patient's circuit, the e-stop, the straps and their proofs.
 *
 * A switch counts when it has read the same for DEBOUNCE_MS: contacts bounce for 1 to 5 ms. The e-stop opens at once and
 * closes after the same time. Only a fresh press counts: a button held at boot, or too long, is ignored until released.
 */
#include "guard_parts.h"

/* Eight steps in a row, counted for all switches together by three words of bits. */
#define DEBOUNCE_MS 8
#define ACK_MS 500u
#define RESET_MS 2000u
#define STUCK_MARGIN_MS UINT32_C(60000)
#define OPEN_PROOF_MS 1000u
#define CLOSED_PROOF_MS 2000u
#define CONFIRM_AFTER_MS 3000u
#define DISAGREE_MS 200u
#define CAP_MS 5000u
#define MOVES (GUARD_TILT | GUARD_RAISE)
#define KEYS (GUARD_PLAN_UP | GUARD_PLAN_DOWN)

static uint32_t pair(uint8_t contacts, uint32_t any, uint32_t all) {
    if (contacts == GUARD_CLOSED) {
        return 0;
    }
    return contacts == GUARD_OPEN ? any | all : any;
}

/* Everything that is a switch in one word. */
static uint32_t switches(const guard_pins_t *pins) {
    uint32_t word = (uint32_t)pins->buttons & SW_BUTTONS;
    word |= pair(pins->strap_left, SW_LEFT_ANY, SW_LEFT_ALL);
    word |= pair(pins->strap_right, SW_RIGHT_ANY, SW_RIGHT_ALL);
    word |= pins->estop == GUARD_CLOSED ? 0u : SW_ESTOP;
    word |= pins->patient_open ? SW_PATIENT : 0u;
    word |= pins->level_switch_below ? SW_BELOW : 0u;
    word |= pins->end_down ? SW_END_DOWN : 0u;
    word |= pins->end_up ? SW_END_UP : 0u;
    word |= pins->mains ? SW_MAINS : 0u;
    word |= pins->battery ? SW_BATTERY : 0u;
    word |= pins->supply_gone ? SW_NO_SUPPLY : 0u;
    return word | (pins->drive_fault ? SW_FAULT : 0u);
}

/* Debounce all switches at once: one counter of three bits for each, zero wherever raw and stable agree. */
static void debounce(guard_people_t *people, uint32_t raw) {
    uint32_t differs = raw ^ people->stable;
    uint32_t full = people->count_0 & people->count_1 & people->count_2 & differs;
    people->count_2 = (people->count_2 ^ (people->count_1 & people->count_0)) & differs;
    people->count_1 = (people->count_1 ^ people->count_0) & differs;
    people->count_0 = ~people->count_0 & differs;
    people->stable ^= full;
}

static uint8_t contacts_of(uint32_t any, uint32_t all) {
    if (any == 0u) {
        return GUARD_CLOSED;
    }
    return all == 0u ? GUARD_DISCREPANT : GUARD_OPEN;
}

void guard_people_init(guard_t *g, const guard_pins_t *pins) {
    guard_people_t *people = &g->people;
    people->stable = switches(pins);
    people->raw = people->ignored = (uint16_t)(people->stable & SW_BUTTONS);
    people->patient_open = true;
    people->left.contacts = contacts_of(people->stable & SW_LEFT_ANY, people->stable & SW_LEFT_ALL);
    people->right.contacts = contacts_of(people->stable & SW_RIGHT_ANY, people->stable & SW_RIGHT_ALL);
    people->left.seen_open = people->left.contacts == GUARD_OPEN;
    people->right.seen_open = people->right.contacts == GUARD_OPEN;
}

/* The buttons that are held and read so in this millisecond too: one whose release is still being debounced is not. */
uint16_t guard_buttons_down(const guard_people_t *people) {
    uint32_t changing = people->count_0 | people->count_1 | people->count_2;
    return (uint16_t)(people->raw & (uint16_t)~changing);
}

/* H25: TILT or RAISE held for longer than the planned travel and a minute. */
static void follow_stuck(guard_t *g, uint16_t raw, uint16_t before) {
    guard_people_t *people = &g->people;
    if ((raw & before & MOVES) == 0u) {
        people->move_ms = 0;
        people->stuck = people->stuck && (raw & MOVES) != 0u;
        return;
    }
    if (!people->stuck) {
        people->move_ms++;
    }
    uint32_t travel_ms = g->above_travel_ms;
    if (g->armed.session_id != 0u) {
        travel_ms = (uint32_t)g->armed.travel_limit_s * 1000u;
    }
    people->stuck = people->stuck || people->move_ms > travel_ms + STUCK_MARGIN_MS;
}

static void follow_estop(guard_people_t *people, bool open) {
    if (open) {
        people->estop = ESTOP_PRESSED;
    } else if (people->estop == ESTOP_PRESSED && people->ack_ms >= ACK_MS) {
        people->estop = ESTOP_HELD_AFTER;
    }
}

/* H23: closed, open and closed again is what proves the patient's button. */
static void follow_patient(guard_people_t *people) {
    bool open = (people->stable & SW_PATIENT) != 0u;
    if (open) {
        if (people->patient == PATIENT_SEEN_CLOSED) {
            people->patient = PATIENT_SEEN_OPEN;
        }
    } else if (people->patient == PATIENT_UNSEEN) {
        people->patient = PATIENT_SEEN_CLOSED;
    } else if (people->patient == PATIENT_SEEN_OPEN) {
        people->patient = PATIENT_PROVEN;
    }
    people->patient_pressed = open && !people->patient_open;
    people->patient_open = open;
}

void guard_follow_people(guard_t *g, const guard_pins_t *pins) {
    guard_people_t *people = &g->people;
    uint32_t raw_word = switches(pins);
    uint32_t before_word = people->stable;
    if (raw_word != before_word) {
        debounce(people, raw_word);
        if (((people->stable ^ before_word) & (SW_STRAPS | SW_PATIENT | SW_ESTOP)) != 0u) {
            g->edge = true;
        }
    } else {
        people->count_0 = people->count_1 = people->count_2 = 0;
    }
    bool estop_open = pins->estop != GUARD_CLOSED || (people->stable & SW_ESTOP) != 0u;
    uint16_t before = people->raw;
    uint16_t raw = (uint16_t)(people->stable & SW_BUTTONS);
    uint16_t ignored = (uint16_t)(people->ignored & raw);
    follow_stuck(g, raw, before);
    if (people->stuck) {
        ignored |= (uint16_t)(raw & MOVES);
    }
    if (estop_open) {
        ignored |= (uint16_t)(raw & GUARD_ACK);
    }
    people->raw = raw;
    people->ignored = ignored;
    people->held = (uint16_t)(raw & (uint16_t)~ignored);
    people->pressed = (uint16_t)(people->held & (uint16_t)~before);
    people->ack_ms = (people->held & before & GUARD_ACK) != 0u ? guard_up(people->ack_ms, RESET_MS) : 0u;
    people->crossed = (people->held & MOVES) == MOVES || (people->held & KEYS) == KEYS;
    follow_estop(people, estop_open);
    follow_patient(people);
}

/* One strap; `watched`: armed or inverted. */
static void follow_side(guard_side_t *side, uint8_t contacts, bool watched) {
    side->since_ms = contacts == side->contacts ? guard_up(side->since_ms, CAP_MS) : 0u;
    side->contacts = contacts;
    if (contacts == GUARD_OPEN) {
        side->seen_open = true;
        if (side->stage == STRAP_PROVEN) {
            side->stage = STRAP_UNSEEN;
        }
        if (side->since_ms >= OPEN_PROOF_MS) {
            side->stage = STRAP_SEEN_OPEN;
        }
    } else if (contacts == GUARD_CLOSED) {
        side->excused = false;
        if (side->stage == STRAP_SEEN_OPEN && side->since_ms >= CLOSED_PROOF_MS) {
            side->stage = STRAP_PROVEN;
        }
        side->mistrusted = side->mistrusted && !side->seen_open;
    } else if (watched && side->since_ms > DISAGREE_MS && !side->mistrusted) {
        side->mistrusted = true;
        side->seen_open = false;
    }
}

bool guard_straps_proven(const guard_people_t *people) {
    return people->left.stage == STRAP_PROVEN && people->right.stage == STRAP_PROVEN;
}

static bool shut(const guard_side_t *side) { return side->contacts == GUARD_CLOSED && !side->mistrusted; }

/* Whether both straps are closed now and nobody mistrusts their contacts. */
bool guard_straps_shut(const guard_people_t *people) { return shut(&people->left) && shut(&people->right); }

bool guard_straps_open(const guard_people_t *people) {
    return people->left.contacts == GUARD_OPEN || people->right.contacts == GUARD_OPEN;
}

/* The straps and H07: each open for 1 s, then closed for 2 s, then CONFIRM pressed at least 3 s later. */
void guard_follow_straps(guard_t *g) {
    guard_people_t *people = &g->people;
    bool watched = g->armed.session_id != 0u || g->where_cdeg < GUARD_INVERTED_CDEG;
    bool was_proven = guard_straps_proven(people);
    uint32_t stable = people->stable;
    follow_side(&people->left, contacts_of(stable & SW_LEFT_ANY, stable & SW_LEFT_ALL), watched);
    follow_side(&people->right, contacts_of(stable & SW_RIGHT_ANY, stable & SW_RIGHT_ALL), watched);
    if (!guard_straps_proven(people)) {
        people->proven_ms = 0;
        people->confirmed = false;
        return;
    }
    /* The step that completes the proof is its first moment, not a part of the wait. */
    people->proven_ms = was_proven ? guard_up(people->proven_ms, CAP_MS) : 0u;
    if ((people->pressed & GUARD_CONFIRM) != 0u && people->proven_ms >= CONFIRM_AFTER_MS) {
        people->confirmed = true;
    }
}

/* After DISARM every proof starts over. */
void guard_forget_proofs(guard_t *g) {
    guard_people_t *people = &g->people;
    people->left.stage = people->right.stage = STRAP_UNSEEN;
    people->left.since_ms = people->right.since_ms = 0;
    people->left.excused = people->right.excused = false;
    people->proven_ms = 0;
    people->confirmed = false;
    people->patient = PATIENT_UNSEEN;
}
