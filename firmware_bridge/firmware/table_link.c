/* The table's side of the serial protocol; told in table_link.h. */
#include "table_link.h"

/* Bodies, without type, sequence number and check sum. */
#define HELLO_BODY 5u
#define COMMAND_BODY 14u
#define ARM_BODY 22u
#define DISARM_BODY 6u
#define CONFIGURE_BODY 47u
#define HELLO_REPLY_BODY 43u
#define TELEMETRY_BODY 35u
#define ANSWER_BODY 17u
/* In CONFIGURE: where the constants begin, behind echo and hash, and how long they are. */
#define CONSTANTS 6u
#define CONSTANTS_LONG 41u
#define ECHO_LONG 2u
#define TOO_OLD_MS (TABLE_LINK_FRESH_MS + 1u)

#define HARD_LIMITS 12u
/* The ceilings compiled in, as the host compares them with its own. */
static const int16_t HARD_LIMIT[HARD_LIMITS] = {
    GUARD_DEEPEST_CAP_CDEG,
    GUARD_DEVICE_LIMIT_CDEG,
    GUARD_HIGHEST_BOARDING_CDEG,
    GUARD_FASTEST_CDEG_S,
    GUARD_FASTEST_DEGRADED_CDEG_S,
    GUARD_FASTEST_ABOVE_CDEG_S,
    GUARD_FIRST_DEGREE_CDEG_S,
    GUARD_LONGEST_SET_S,
    GUARD_MOST_SETS,
    GUARD_MOST_HOLD_A_DAY_S,
    GUARD_LONGEST_LEASE_MS,
    GUARD_LONGEST_BRAKE_MS,
};

static uint16_t get16(const uint8_t *at) {
    return (uint16_t)(at[0] | ((uint16_t)at[1] << 8));
}

static int16_t get_signed(const uint8_t *at) {
    const uint16_t value = get16(at);
    return value <= INT16_MAX ? (int16_t)value : (int16_t)((int32_t)value - 0x10000);
}

static uint32_t get32(const uint8_t *at) {
    return get16(at) | ((uint32_t)get16(at + 2) << 16);
}

static void put16(uint8_t *at, uint16_t value) {
    at[0] = (uint8_t)(value & 0xFFu);
    at[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *at, uint32_t value) {
    put16(at, (uint16_t)(value & 0xFFFFu));
    put16(at + 2, (uint16_t)(value >> 16));
}

static bool flag(uint8_t byte, uint8_t bit) {
    return (byte & bit) != 0u;
}

static void reject(table_link_t *link, enum table_link_reason reason) {
    if (link->rejected[reason] < UINT16_MAX) {
        link->rejected[reason]++;
    }
    link->rejected_in_all++;
    link->heard = true;
}

void table_link_begin(table_link_t *link, const table_link_identity_t *identity) {
    *link = (table_link_t){0};
    frame_begin(&link->parser);
    link->identity = *identity;
}

/* Whether this is the number of a telemetry frame that went out at most TABLE_LINK_FRESH_MS ago. */
static bool echo_is_fresh(const table_link_t *link, uint16_t echo, uint32_t now_ms) {
    const uint16_t behind = (uint16_t)(link->next_sequence - echo); /* 1 for the last one sent */
    if (behind == 0u || behind > link->sent) {
        return false;
    }
    return now_ms - link->sent_ms[echo % TABLE_LINK_SENT] <= TABLE_LINK_FRESH_MS;
}

static bool is_newer(uint16_t sequence, uint16_t than) {
    const uint16_t ahead = (uint16_t)(sequence - than);
    return ahead != 0u && ahead <= INT16_MAX;
}

/* A HELLO opens the link, or shows which version would; it begins the host's sequence numbers anew. What was sent
 * before it may no longer be echoed: so no frame from before is taken, even if an old HELLO comes again. */
static void take_hello(table_link_t *link, const uint8_t *body, uint16_t sequence, uint32_t now_ms) {
    const uint32_t nonce = get32(body + 1);
    if (link->greeted && (nonce == link->nonce || now_ms - link->hello_ms < TABLE_LINK_HELLO_MS)) {
        reject(link, TABLE_LINK_BAD_SEQUENCE);
        return;
    }
    link->greeted = true;
    link->nonce = nonce;
    link->hello_ms = now_ms;
    link->reply_due = true;
    link->open = body[0] == TABLE_LINK_VERSION;
    if (link->open) {
        link->newest = sequence;
        link->sent = 0;
    } else {
        reject(link, TABLE_LINK_BAD_VERSION);
    }
}

static bool command_is_sound(const uint8_t *body) {
    const uint8_t cause = body[9];
    const uint8_t buzzer = body[13];
    return body[8] <= GUARD_CUT && (cause <= TABLE_LINK_HAZARDS || cause == TABLE_LINK_PERSON) &&
           (body[10] & 0xC8u) == 0u && get16(body + 11) <= TABLE_LINK_LAMPS &&
           (buzzer == 0u || buzzer >= TABLE_LINK_LOWEST_BUZZER);
}

static void take_command(table_link_t *link, const uint8_t *body, uint16_t sequence) {
    const uint8_t flags = body[10];
    link->command = (guard_command_t){
        .session_id = get32(body + 2),
        .echo = get16(body),
        .velocity_cdeg_s = get_signed(body + 6),
        .demand = body[8],
        .stop_cause = body[9],
        .plan_return = flag(flags, 0x01u),
        .presence_fresh = flag(flags, 0x02u),
        .fresh = true,
    };
    link->panel = (panel_signals_t){
        .lamps = get16(body + 11),
        .buzzer = body[13],
        .alarm = (uint8_t)((flags >> 4) & 0x03u),
        .tone = flag(flags, 0x04u),
    };
    link->command_sequence = sequence;
}

static bool configure_is_sound(const uint8_t *body) {
    const uint32_t crc = frame_crc32(body + CONSTANTS, CONSTANTS_LONG);
    return get32(body + ECHO_LONG) == (crc != 0u ? crc : 1u) && (body[CONFIGURE_BODY - 1u] & 0xFCu) == 0u;
}

static bool request_is_sound(uint8_t type, const uint8_t *body) {
    if (type == TABLE_LINK_ARM) {
        return (body[21] & 0xFCu) == 0u && get32(body + ECHO_LONG) != 0u;
    }
    return type == TABLE_LINK_DISARM || configure_is_sound(body);
}

static void fill_arm(guard_arm_t *arm, const uint8_t *body) {
    *arm = (guard_arm_t){
        .session_id = get32(body + 2),
        .config_hash = get32(body + 6),
        .cap_cdeg = get_signed(body + 10),
        .set_limit_s = get16(body + 12),
        .travel_limit_s = get16(body + 14),
        .hold_today_s = get16(body + 16),
        .speed_cdeg_s = get_signed(body + 18),
        .sets = body[20],
        .strap_wait = flag(body[21], 0x01u),
        .held_tilt = flag(body[21], 0x02u),
    };
}

static void fill_config(guard_config_t *config, const uint8_t *body) {
    const uint8_t *at = body + CONSTANTS;
    *config = (guard_config_t){
        .hash = get32(body + ECHO_LONG),
        .heat_budget = get32(at),
        .heat_limit = get32(at + 4),
        .heat_leak = get32(at + 8),
        .cap_cdeg = get_signed(at + 12),
        .boarding_cdeg = get_signed(at + 14),
        .backlash_cdeg = get_signed(at + 16),
        .stall_ma = get16(at + 18),
        .idle_ma = get16(at + 20),
        .speed_cdeg_s = get_signed(at + 22),
        .degraded_cdeg_s = get_signed(at + 24),
        .slow_cdeg_s = get_signed(at + 26),
        .above_cdeg_s = get_signed(at + 28),
        .first_degree_cdeg_s = get_signed(at + 30),
        .deceleration_cdeg_s2 = get_signed(at + 32),
        .lease_ms = get16(at + 34),
        .tone_ms = get16(at + 36),
        .brake_ms = get16(at + 38),
        .has_battery = flag(at[40], 0x01u),
        .brake_on_motor_side = flag(at[40], 0x02u),
    };
}

/* Whether this very request was accepted before and is still in force: then its answer was lost on the way. */
static bool is_done(const table_link_t *link, uint8_t type, const uint8_t *body, uint32_t content) {
    if (type != link->accepted_type || content != link->accepted_content) {
        return false;
    }
    if (type == TABLE_LINK_CONFIGURE) {
        return link->config_hash == get32(body + ECHO_LONG);
    }
    return link->session_id == (type == TABLE_LINK_ARM ? get32(body + ECHO_LONG) : 0u);
}

static void take_request(table_link_t *link, uint8_t type, const uint8_t *body, uint8_t length, uint16_t sequence) {
    const uint32_t content = frame_crc32(body + ECHO_LONG, (uint8_t)(length - ECHO_LONG));
    const table_link_question_t asked = {.type = type, .sequence = sequence, .content = content, .accepted = true};
    if (is_done(link, type, body, content)) {
        link->answer = asked;
        return;
    }
    link->asked = asked;
    link->taken = false;
    if (type == TABLE_LINK_ARM) {
        link->request.arm = true;
        fill_arm(&link->request.arming, body);
    } else if (type == TABLE_LINK_DISARM) {
        link->request.disarm = true;
        link->request.disarm_session_id = get32(body + ECHO_LONG);
    } else {
        link->request.configure = true;
        fill_config(&link->request.config, body);
    }
}

/* The length of a body that a host may send, 0 for a type that it may not. */
static uint8_t body_length(uint8_t type) {
    switch (type) {
    case TABLE_LINK_HELLO:
        return HELLO_BODY;
    case TABLE_LINK_COMMAND:
        return COMMAND_BODY;
    case TABLE_LINK_ARM:
        return ARM_BODY;
    case TABLE_LINK_DISARM:
        return DISARM_BODY;
    case TABLE_LINK_CONFIGURE:
        return CONFIGURE_BODY;
    default:
        return 0;
    }
}

static void take_frame(table_link_t *link, uint32_t now_ms) {
    const uint8_t *body = link->parser.bytes + FRAME_BODY;
    const uint8_t type = link->parser.bytes[0];
    const uint16_t sequence = get16(link->parser.bytes + 1);
    const uint8_t length = (uint8_t)(link->parser.length - FRAME_OVERHEAD);
    const uint8_t wanted = body_length(type);
    if (wanted == 0u) {
        reject(link, TABLE_LINK_BAD_TYPE);
    } else if (type == TABLE_LINK_HELLO &&
               (length == wanted || (length > wanted && body[0] != TABLE_LINK_VERSION))) { /* another's may be longer */
        take_hello(link, body, sequence, now_ms);
    } else if (length != wanted) {
        reject(link, TABLE_LINK_BAD_LENGTH);
    } else if (!link->open) {
        reject(link, TABLE_LINK_BAD_VERSION);
    } else if (!is_newer(sequence, link->newest)) {
        reject(link, TABLE_LINK_BAD_SEQUENCE);
    } else if (!(type == TABLE_LINK_COMMAND ? command_is_sound(body) : request_is_sound(type, body))) {
        reject(link, TABLE_LINK_BAD_VALUE);
    } else if (!echo_is_fresh(link, get16(body), now_ms)) {
        reject(link, TABLE_LINK_IS_STALE);
    } else if (type == TABLE_LINK_COMMAND) {
        link->newest = sequence;
        take_command(link, body, sequence);
    } else if (link->asked.type != 0u) {
        reject(link, TABLE_LINK_IS_BUSY);
    } else {
        link->newest = sequence;
        take_request(link, type, body, length, sequence);
    }
}

void table_link_byte(table_link_t *link, uint8_t byte, uint32_t now_ms) {
    switch (frame_take(&link->parser, byte)) {
    case FRAME_READY:
        take_frame(link, now_ms);
        break;
    case FRAME_BAD_COBS:
        reject(link, TABLE_LINK_BAD_COBS);
        break;
    case FRAME_BAD_LENGTH:
        reject(link, TABLE_LINK_BAD_LENGTH);
        break;
    case FRAME_BAD_CRC:
        reject(link, TABLE_LINK_BAD_CRC);
        break;
    case FRAME_NONE:
    default:
        break;
    }
}

void table_link_take(table_link_t *link, guard_command_t *command, guard_request_t *request) {
    *command = link->command;
    if (link->heard && !command->fresh) {
        *command = (guard_command_t){.demand = TABLE_LINK_NO_DEMAND, .fresh = true};
    }
    *request = link->request;
    link->command.fresh = false;
    link->heard = false;
    link->request = (guard_request_t){0};
    link->taken = link->asked.type != 0u;
}

void table_link_settle(table_link_t *link, const guard_out_t *out) {
    link->edge = link->edge || out->edge;
    link->session_id = out->session_id;
    link->config_hash = out->config_hash;
    if (!link->taken) {
        return;
    }
    if (out->answer != 0u) {
        link->answer = link->asked;
        link->answer.accepted = out->answer == 1u;
        if (link->answer.accepted) {
            link->accepted_type = link->asked.type;
            link->accepted_content = link->asked.content;
        } else {
            put32(link->answer.refusals, out->refusals_low);
            link->answer.refusals[4] = out->refusals_high;
        }
    }
    /* Unanswered, the host asks again. */
    link->asked.type = 0;
    link->taken = false;
}

static uint8_t send(table_link_t *link, uint8_t type, const uint8_t *body, uint8_t length, uint32_t now_ms,
                    uint8_t *wire) {
    const uint16_t sequence = link->next_sequence;
    /* What a host has heard of other frames says nothing of the table: nobody may echo them. */
    link->sent_ms[sequence % TABLE_LINK_SENT] = type == TABLE_LINK_TELEMETRY ? now_ms : now_ms - TOO_OLD_MS;
    if (link->sent < TABLE_LINK_SENT) {
        link->sent++;
    }
    link->next_sequence = (uint16_t)(sequence + 1u);
    link->sent_type = type;
    link->sent_sequence = sequence;
    return frame_make(wire, type, sequence, body, length);
}

static uint8_t send_reply(table_link_t *link, uint32_t now_ms, uint8_t *wire) {
    uint8_t body[HELLO_REPLY_BODY];
    body[0] = TABLE_LINK_VERSION;
    body[1] = link->identity.firmware[0];
    body[2] = link->identity.firmware[1];
    body[3] = link->identity.firmware[2];
    body[4] = link->identity.reset_cause;
    put16(body + 5, link->identity.boot_count);
    put32(body + 7, now_ms);
    put32(body + 11, link->nonce);
    put32(body + 15, link->config_hash);
    for (uint8_t i = 0; i < HARD_LIMITS; i++) {
        put16(body + 19 + 2 * i, (uint16_t)HARD_LIMIT[i]);
    }
    link->reply_due = false;
    return send(link, TABLE_LINK_HELLO_REPLY, body, HELLO_REPLY_BODY, now_ms, wire);
}

static uint8_t send_answer(table_link_t *link, uint32_t now_ms, uint8_t *wire) {
    uint8_t body[ANSWER_BODY];
    body[0] = link->answer.type;
    put16(body + 1, link->answer.sequence);
    body[3] = link->answer.accepted ? 1u : 0u;
    for (uint8_t i = 0; i < 5u; i++) {
        body[4u + i] = link->answer.refusals[i];
    }
    put32(body + 9, link->config_hash);
    put32(body + 13, link->session_id);
    link->answer.type = 0;
    return send(link, TABLE_LINK_ANSWER, body, ANSWER_BODY, now_ms, wire);
}

static uint8_t bit(bool set, uint8_t value) {
    return set ? value : 0u;
}

static uint8_t switches_of(const guard_pins_t *pins) {
    return (uint8_t)(bit(pins->patient_open, 0x01u) | bit(pins->level_switch_below, 0x02u) |
                     bit(pins->end_down, 0x04u) | bit(pins->end_up, 0x08u) | bit(pins->mains, 0x10u) |
                     bit(pins->battery, 0x20u) | bit(pins->drive_fault, 0x40u));
}

static uint8_t contacts_of(const guard_pins_t *pins) {
    return (uint8_t)((pins->strap_left & 3u) | ((pins->strap_right & 3u) << 2) | ((pins->estop & 3u) << 4));
}

static uint8_t outputs_of(const guard_out_t *out) {
    return (uint8_t)(bit(out->brake_released, 0x01u) | bit(out->drive_power, 0x02u) | ((out->tone & 3u) << 2) |
                     ((out->alarm & 3u) << 4));
}

static uint8_t send_telemetry(table_link_t *link, const guard_pins_t *pins, const guard_out_t *out, uint32_t now_ms,
                              uint8_t *wire) {
    uint8_t body[TELEMETRY_BODY];
    put32(body, now_ms);
    put16(body + 4, link->command_sequence);
    put16(body + 6, (uint16_t)pins->angle_a_cdeg);
    put16(body + 8, (uint16_t)pins->angle_b_cdeg);
    put16(body + 10, (uint16_t)out->applied_cdeg_s);
    put16(body + 12, pins->current_ma);
    put16(body + 14, pins->buttons);
    body[16] = link->rejected_in_all;
    body[17] = switches_of(pins);
    body[18] = contacts_of(pins);
    body[19] = outputs_of(out);
    body[20] = (uint8_t)((out->state & 0x0Fu) | ((out->demand & 0x0Fu) << 4));
    body[21] = out->first_cause;
    put16(body + 22, (uint16_t)out->first_value);
    put32(body + 24, (uint32_t)(out->causes & 0xFFFFFFFFu));
    body[28] = (uint8_t)((out->causes >> 32) & 0xFFu);
    put32(body + 29, out->session_id);
    put16(body + 33, out->inverted_s);
    link->telemetry_ms = now_ms;
    link->telemetry_sent = true;
    link->edge_told = link->edge;
    link->edge = false;
    return send(link, TABLE_LINK_TELEMETRY, body, TELEMETRY_BODY, now_ms, wire);
}

uint8_t table_link_next(table_link_t *link, const guard_pins_t *pins, const guard_out_t *out, uint32_t now_ms,
                        uint8_t *wire) {
    const uint32_t since_ms = now_ms - link->telemetry_ms;
    /* A contact that chatters could fill the line: of two edges in a row the second waits for what else is to be said. */
    const bool waits = link->edge_told && (link->reply_due || link->answer.type != 0u);
    const bool edge = link->edge && since_ms >= TABLE_LINK_EDGE_MS && !waits;
    if (!link->telemetry_sent || since_ms >= TABLE_LINK_PERIOD_MS || edge) {
        return send_telemetry(link, pins, out, now_ms, wire);
    }
    if (link->reply_due) {
        return send_reply(link, now_ms, wire);
    }
    if (link->answer.type != 0u) {
        return send_answer(link, now_ms, wire);
    }
    return 0;
}
