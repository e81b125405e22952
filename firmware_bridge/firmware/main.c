/* The guard on an Arduino Mega 2560: once a millisecond the pins are looked at, the line is heard, the guard steps, and
 * drive, brake, panel and line are told. The watchdog is fed only where each of these tasks ran.
 */
#include "frame.h"
#include "guard.h"
#include "mega.h"
#include "panel_lights.h"
#include "table_link.h"
#include "velocity.h"

#define FIRMWARE_MAJOR 1u
#define FIRMWARE_MINOR 0u
#define FIRMWARE_PATCH 0u
/* More than the line brings in a millisecond, 11.5 bytes. */
#define BYTES_A_MS 16u
/* The converter's first words take 5 ms. */
#define SETTLING_MS 8u

/* Where things are in the EEPROM. */
#define BOOTS_AT 0u
#define CONFIG_AT 16u

enum {
    TASK_LOOK = 0x01,
    TASK_HEAR = 0x02,
    TASK_GUARD = 0x04,
    TASK_DRIVE = 0x08,
    TASK_PANEL = 0x10,
    TASK_TELL = 0x20,
    TASK_STORE = 0x40,
    TASK_ALL = 0x7F
};

/* This table's constants as the EEPROM keeps them. */
typedef struct {
    guard_config_t config;
    uint32_t crc;
} kept_t;

static guard_t guard;
static guard_pins_t pins;
static guard_command_t command;
static guard_request_t request;
static guard_out_t out;
static table_link_t line;
static panel_lights_t lights;
static velocity_t velocity;
static kept_t kept;
static uint8_t kept_at;
static uint32_t now_ms;
static uint8_t tasks;

static __attribute__((noinline)) void look(void) {
    mega_look(&pins);
    tasks |= TASK_LOOK;
}

static __attribute__((noinline)) void hear(void) {
    uint8_t byte;
    for (uint8_t i = 0u; i < BYTES_A_MS && mega_receive(&byte); i++) {
        table_link_byte(&line, byte, now_ms);
    }
    table_link_take(&line, &command, &request);
    tasks |= TASK_HEAR;
}

static __attribute__((noinline)) void judge(void) {
    guard_step(&guard, &pins, &command, &request, &out);
    table_link_settle(&line, &out);
    tasks |= TASK_GUARD;
}

static __attribute__((noinline)) void drive(void) {
    mega_drive(velocity_step(&velocity, &guard, &out, mega_current_ma()), &out);
    tasks |= TASK_DRIVE;
}

static __attribute__((noinline)) void show(void) {
    panel_lights_step(&lights, &guard, &out, &line.panel, 1u);
    mega_show(&lights);
    tasks |= TASK_PANEL;
}

static __attribute__((noinline)) void tell(void) {
    uint8_t wire[FRAME_WIRE_LARGEST];
    if (mega_idle()) {
        uint8_t length = table_link_next(&line, &pins, &out, now_ms, wire);
        if (length != 0u) {
            mega_send(wire, length);
            if (line.sent_type == TABLE_LINK_TELEMETRY) {
                guard_sent(&guard, line.sent_sequence);
            }
        }
    }
    tasks |= TASK_TELL;
}

static uint32_t crc_of(const kept_t *what) {
    return frame_crc32((const uint8_t *)&what->config, (uint8_t)sizeof what->config);
}

/* New constants go into the EEPROM a byte at a time; torn by a power cut they are not believed, and the usual ones hold. */
static __attribute__((noinline)) void store(void) {
    if (kept.config.hash != guard.config.hash && guard.config.hash != 0u) {
        kept.config = guard.config;
        kept.crc = crc_of(&kept);
        kept_at = 0u;
    } else if (kept_at < sizeof kept && mega_keep((uint16_t)(CONFIG_AT + kept_at), ((const uint8_t *)&kept)[kept_at])) {
        kept_at++;
    }
    tasks |= TASK_STORE;
}

static uint16_t count_boot(void) {
    uint16_t boots;
    mega_recall(BOOTS_AT, &boots, (uint8_t)sizeof boots);
    boots++;
    while (!mega_keep(BOOTS_AT, (uint8_t)boots)) {
    }
    while (!mega_keep(BOOTS_AT + 1u, (uint8_t)(boots >> 8))) {
    }
    return boots;
}

static void recall_config(void) {
    mega_recall(CONFIG_AT, &kept, (uint8_t)sizeof kept);
    if (kept.crc != crc_of(&kept) || !guard_restore(&guard, &kept.config)) {
        kept.config.hash = 0u;
    }
    kept_at = (uint8_t)sizeof kept;
}

static void begin(void) {
    mega_begin();
    const table_link_identity_t identity = {.firmware = {FIRMWARE_MAJOR, FIRMWARE_MINOR, FIRMWARE_PATCH},
                                            .reset_cause = mega_reset_cause(),
                                            .boot_count = count_boot()};
    mega_feed();
    for (uint8_t i = 0u; i < SETTLING_MS; i++) {
        mega_wait();
        mega_look(&pins);
    }
    guard_init(&guard, &pins);
    recall_config();
    panel_lights_init(&lights);
    table_link_begin(&line, &identity);
    velocity_begin(&velocity);
    mega_feed();
}

int main(void) {
    begin();
    for (;;) {
        mega_wait();
        now_ms++;
        tasks = 0u;
        look();
        hear();
        judge();
        drive();
        show();
        tell();
        store();
        if (tasks == TASK_ALL) {
            mega_feed();
        }
    }
}
