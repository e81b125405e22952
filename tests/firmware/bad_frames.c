/* Damaged, repeated, reordered and stale frames by the million, for the tests of both sides of the link.
 *
 * `to_the_table` sends a table genuine commands and requests among bad ones and counts what it took; `to_the_host`
 * fills a buffer with a table's telemetry among bad frames, for the host's codec. Only tests compile this file.
 */
#include <string.h>

#include "table_link.h"

enum kind { BITS, BYTES, BURST, TRUNCATED, DROPPED, INSERTED, SPLICED, REPEATED, REORDERED, STALE, ECHOED, GARBAGE, KINDS };

#define OLD 256u
/* Bad frames between two genuine ones. */
#define SPACING 20u
#define WIRE FRAME_WIRE_LARGEST
/* A damaged frame may be a little longer than any good one. */
#define ROOM (2u * WIRE + 2u)

typedef struct {
    uint8_t bytes[WIRE];
    uint8_t length;
} wire_t;

typedef struct {
    uint32_t sent[KINDS];
    uint32_t wrong[KINDS]; /* bad frames of each kind that were taken */
    uint32_t genuine;
    uint32_t taken; /* genuine frames that were taken */
    uint32_t refused[TABLE_LINK_REASONS]; /* by the table, by reason; each count ends at 65,535 */
} tally_t;

static uint64_t random_state;

static uint32_t random32(void) { /* xorshift64*, good enough to break frames with */
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)((random_state * 0x2545F4914F6CDD1Du) >> 32);
}

static uint32_t below(uint32_t bound) {
    return random32() % bound;
}

static void put(uint8_t *at, uint32_t value, unsigned size) {
    for (unsigned i = 0; i < size; i++) {
        at[i] = (uint8_t)(value >> (8u * i));
    }
}

/* Breaks a frame of `length` bytes, its closing zero among them, in one way, and returns the new length; the end of
 * what came is always a zero, so that the next frame is not lost with this one. `other` is a frame to splice with. */
static uint32_t broken(uint8_t *bad, enum kind kind, const wire_t *good, const wire_t *other) {
    uint32_t body = good->length - 1u;
    memcpy(bad, good->bytes, good->length);
    switch (kind) {
    case BITS:
        for (uint32_t flips = 1u + below(12u); flips > 0u; flips--) {
            bad[below(body)] ^= (uint8_t)(1u << below(8u));
        }
        break;
    case BYTES:
        for (uint32_t count = 1u + below(body); count > 0u; count--) {
            bad[below(body)] = (uint8_t)below(256u);
        }
        break;
    case BURST: {
        const uint32_t from = below(body);
        for (uint32_t at = from; at < body && at < from + 6u; at++) {
            bad[at] ^= (uint8_t)below(256u);
        }
        break;
    }
    case TRUNCATED:
        body = below(body);
        break;
    case DROPPED: {
        const uint32_t at = below(body);
        memmove(bad + at, bad + at + 1, body - at - 1u);
        body--;
        break;
    }
    case INSERTED: {
        const uint32_t at = 1u + below(body - 1u);
        memmove(bad + at + 1, bad + at, body - at);
        bad[at] = (uint8_t)below(256u);
        body++;
        break;
    }
    case SPLICED: {
        const uint32_t head = 1u + below(body - 1u);
        const uint32_t from = below(other->length);
        memcpy(bad + head, other->bytes + from, other->length - from);
        body = head + other->length - from - 1u;
        break;
    }
    default:
        body = 1u + below(ROOM - 1u);
        for (uint32_t at = 0; at < body; at++) {
            bad[at] = (uint8_t)below(256u);
        }
        break;
    }
    bad[body] = 0;
    return body + 1u;
}

/* Whether the good frame still stands whole between two zeros: then nothing was broken. */
static bool still_whole(const uint8_t *bad, uint32_t length, const wire_t *good) {
    for (uint32_t at = 0; at + good->length <= length; at++) {
        if ((at == 0u || bad[at - 1u] == 0u) && memcmp(bad + at, good->bytes, good->length) == 0) {
            return true;
        }
    }
    return false;
}

/* The table's side. ------------------------------------------------------------------------------------------- */

typedef struct {
    table_link_t link;
    wire_t old[OLD];
    uint32_t sent;
    uint32_t now_ms;
    uint16_t sequence;
    uint16_t seen; /* number of the newest telemetry */
    guard_out_t out;
    wire_t hellos[OLD];
    uint32_t greeted;
} bench_t;

static wire_t made(uint8_t type, uint16_t sequence, const uint8_t *body, uint8_t length) {
    wire_t wire;
    wire.length = frame_make(wire.bytes, type, sequence, body, length);
    return wire;
}

/* A COMMAND, ARM or DISARM as a host would send it now; `behind` telemetry frames old is what it echoes. */
static wire_t host_frame(const bench_t *bench, uint16_t behind) {
    uint8_t body[22] = {0};
    const uint32_t choice = below(16u);
    put(body, (uint32_t)(bench->seen - behind), 2);
    put(body + 2, 1u + random32() / 2u, 4);
    if (choice == 0u) {
        put(body + 6, random32(), 4);
        put(body + 10, random32(), 4);
        body[20] = 3;
        return made(TABLE_LINK_ARM, bench->sequence, body, 22);
    }
    if (choice == 1u) {
        return made(TABLE_LINK_DISARM, bench->sequence, body, 6);
    }
    put(body + 6, below(401u) - 200u, 2);
    body[8] = (uint8_t)below(6u);
    body[9] = (uint8_t)below(37u);
    body[10] = (uint8_t)(below(8u) | below(4u) << 4);
    put(body + 11, below(0x8000u), 2);
    body[13] = (uint8_t)(below(2u) * (15u + below(241u)));
    return made(TABLE_LINK_COMMAND, bench->sequence, body, 14);
}

static void table_ticks(bench_t *bench, uint32_t ms) {
    const guard_pins_t pins = {0};
    uint8_t wire[WIRE];
    while (ms-- > 0u) {
        bench->now_ms++;
        while (table_link_next(&bench->link, &pins, &bench->out, bench->now_ms, wire) != 0u) {
            if (bench->link.sent_type == TABLE_LINK_TELEMETRY) {
                bench->seen = bench->link.sent_sequence;
            }
        }
    }
}

/* Hands bytes to the table and returns how many commands and requests came out of it. */
static uint32_t taken(bench_t *bench, const uint8_t *bytes, uint32_t length) {
    guard_command_t command;
    guard_request_t request;
    uint32_t count = 0;
    for (uint32_t at = 0; at < length; at++) {
        table_link_byte(&bench->link, bytes[at], bench->now_ms);
    }
    table_link_take(&bench->link, &command, &request);
    table_link_settle(&bench->link, &bench->out);
    count += command.fresh && command.demand <= GUARD_CUT ? 1u : 0u;
    count += request.arm || request.disarm || request.configure ? 1u : 0u;
    return count;
}

/* A genuine handshake; the host sends nothing before it has seen telemetry that is younger. */
static void greet(bench_t *bench) {
    uint8_t hello[5] = {TABLE_LINK_VERSION};
    put(hello + 1, random32(), 4);
    const wire_t wire = made(TABLE_LINK_HELLO, bench->sequence++, hello, 5);
    table_ticks(bench, 60);
    (void)taken(bench, wire.bytes, wire.length);
    bench->hellos[bench->greeted++ % OLD] = wire;
    table_ticks(bench, 110);
}

static void begin(bench_t *bench) {
    const table_link_identity_t identity = {{0}, 0, 0};
    memset(bench, 0, sizeof *bench);
    table_link_begin(&bench->link, &identity);
    bench->now_ms = random32(); /* the sample clock may go round in the middle */
    bench->sequence = (uint16_t)random32();
    table_ticks(bench, 400);
    greet(bench);
}

/* Sends one bad frame of a kind, and returns how much of it was taken. `next` is the genuine frame that follows. */
static uint32_t send_bad(bench_t *bench, enum kind kind, const wire_t *next, bool old_hellos, tally_t *tally) {
    uint8_t bad[ROOM + WIRE];
    uint32_t length;
    const uint32_t known = bench->sent < OLD ? bench->sent : OLD;
    if (kind == REPEATED) {
        if (old_hellos && below(8u) == 0u) {
            const wire_t *hello = &bench->hellos[below(bench->greeted < OLD ? bench->greeted : OLD)];
            (void)taken(bench, hello->bytes, hello->length);
        }
        const wire_t *again = &bench->old[below(known)];
        length = again->length;
        memcpy(bad, again->bytes, length);
    } else if (kind == STALE) {
        const wire_t wire = host_frame(bench, (uint16_t)(16u + below(30000u)));
        length = wire.length;
        memcpy(bad, wire.bytes, length);
    } else if (kind == ECHOED) {
        const guard_pins_t pins = {0};
        bench_t copy = *bench; /* what the table itself would send now comes back to it */
        length = table_link_next(&copy.link, &pins, &copy.out, copy.now_ms + 10u, bad);
    } else {
        length = broken(bad, kind, next, &bench->old[below(known)]);
        if (still_whole(bad, length, next)) {
            return 0;
        }
    }
    tally->sent[kind]++;
    return taken(bench, bad, length);
}

/* Sends at least `count` bad frames with genuine ones in between, and tells what the table took. With `old_hellos` old
 * handshakes come again too: no bad frame may be taken then either, but genuine ones may be lost. */
void to_the_table(uint32_t count, bool old_hellos, uint64_t seed, tally_t *tally) {
    bench_t bench;
    random_state = seed * 2u + 1u;
    memset(tally, 0, sizeof *tally);
    begin(&bench);
    for (uint32_t done = 0; done < count;) {
        if (old_hellos && below(32u) == 0u) {
            bench.sequence = (uint16_t)random32();
            greet(&bench);
        }
        table_ticks(&bench, 10);
        bench.sequence++;
        wire_t next = host_frame(&bench, (uint16_t)below(10u));
        for (uint32_t i = 0; bench.sent != 0u && i < SPACING; i++) {
            const enum kind kind = (enum kind)below(KINDS);
            if (kind != REORDERED) {
                const uint32_t before = tally->sent[kind];
                tally->wrong[kind] += send_bad(&bench, kind, &next, old_hellos, tally);
                done += tally->sent[kind] - before;
            }
        }
        if (below(4u) == 0u) { /* the next but one overtakes it: then it is old */
            const wire_t late = next;
            bench.sequence++;
            next = host_frame(&bench, 0);
            tally->taken += taken(&bench, next.bytes, next.length);
            tally->sent[REORDERED]++;
            tally->wrong[REORDERED] += taken(&bench, late.bytes, late.length);
        } else {
            tally->taken += taken(&bench, next.bytes, next.length);
        }
        tally->genuine++;
        bench.old[bench.sent++ % OLD] = next;
    }
    for (unsigned reason = 0; reason < TABLE_LINK_REASONS; reason++) {
        tally->refused[reason] = bench.link.rejected[reason];
    }
}

/* The host's side. -------------------------------------------------------------------------------------------- */

/* Fills `stream` with telemetry among bad frames, as the host would read it in one piece, and returns its length.
 *
 * The codec is to take exactly those frames whose current is 1, and they come with rising inverted_s; every bad frame
 * is made from one with a greater current. `first` is the sequence number of the first frame; `next` gets the one after
 * the last. The clock stands still, but in stale frames, which are `stale_ms` or more behind. */
uint32_t to_the_host(uint8_t *stream, uint32_t room, uint32_t count, uint16_t first, uint32_t clock_ms,
                     uint32_t stale_ms, uint64_t seed, uint16_t *next, tally_t *tally) {
    wire_t old[OLD];
    uint32_t length = 0;
    uint32_t sent = 0;
    uint16_t sequence = first;
    uint8_t body[35] = {0};
    random_state = seed * 2u + 1u;
    memset(tally, 0, sizeof *tally);
    for (uint32_t done = 0; done < count && length + 2u * ROOM + 4u * WIRE < room; done++) {
        const uint32_t before = length;
        const enum kind kind = (enum kind)below(KINDS);
        put(body, clock_ms, 4);
        put(body + 4, random32(), 2);
        put(body + 6, random32(), 4);
        put(body + 10, below(400u), 2);
        put(body + 12, 2u + below(10000u), 2); /* current: what marks a frame that must not be taken */
        put(body + 14, below(512u), 2);
        put(body + 33, sent, 2);
        const wire_t bad = made(TABLE_LINK_TELEMETRY, sequence, body, 35);
        if (kind == STALE) {
            put(body, clock_ms - stale_ms - below(100000u), 4);
            const wire_t stale = made(TABLE_LINK_TELEMETRY, sequence, body, 35);
            memcpy(stream + length, stale.bytes, stale.length);
            length += stale.length;
        } else if (kind == REPEATED && sent != 0u) {
            const wire_t *again = &old[below(sent < OLD ? sent : OLD)];
            memcpy(stream + length, again->bytes, again->length);
            length += again->length;
        } else if (kind == ECHOED) { /* one of the host's own frames comes back */
            const wire_t own = made(TABLE_LINK_COMMAND, sequence, body, 14);
            memcpy(stream + length, own.bytes, own.length);
            length += own.length;
        } else if (kind != REPEATED && kind != REORDERED && sent != 0u) {
            const uint32_t added = broken(stream + length, kind, &bad, &old[below(sent < OLD ? sent : OLD)]);
            if (!still_whole(stream + length, added, &bad)) {
                length += added;
            }
        }
        tally->sent[kind] += length > before || kind == REORDERED ? 1u : 0u;
        if (sent == 0u || done % 16u == 0u || kind == REORDERED) {
            put(body, clock_ms, 4);
            put(body + 12, 1, 2);
            const wire_t good = made(TABLE_LINK_TELEMETRY, (uint16_t)(sequence + (kind == REORDERED ? 1 : 0)), body, 35);
            memcpy(stream + length, good.bytes, good.length);
            length += good.length;
            if (kind == REORDERED) { /* and then the one that it overtook */
                memcpy(stream + length, bad.bytes, bad.length);
                length += bad.length;
                sequence++;
            }
            sequence++;
            old[sent % OLD] = good;
            sent++;
            tally->genuine++;
        }
    }
    *next = sequence;
    return length;
}
