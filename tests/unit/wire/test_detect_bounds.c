/* Detectors at their limits: long keys and names, what is held back, time, and what they can be made of. */
#include "detect_samples.h"

static void append_run(struct buf *to, const char *unit, size_t bytes)
{
    for (size_t from = buf_len(to), len = strlen(unit); buf_len(to) - from + len <= bytes;)
        buf_append(to, slice_str(unit));
}

static void want_hit(struct buf *want, const char *kind, size_t from, size_t len)
{
    for (; len > LIMIT_DETECT_HOLD_BYTES; from += LIMIT_DETECT_HOLD_BYTES, len -= LIMIT_DETECT_HOLD_BYTES)
        buf_printf(want, "%s %zu %u\n", kind, from, LIMIT_DETECT_HOLD_BYTES);
    if (len) buf_printf(want, "%s %zu %zu\n", kind, from, len);
}

/* `head`, then `bytes` of letters, then `tail`, all of it but its last byte one hit, in pieces if it is long. */
static void check_long(const char *kind, const char *head, size_t bytes, const char *tail)
{
    struct buf text, want;
    buf_init(&text);
    buf_init(&want);
    buf_append(&text, slice_str(head));
    append_run(&text, "x", bytes);
    buf_append(&text, slice_str(tail));
    want_hit(&want, kind, 0, buf_len(&text) - 1);
    buf_append(&text, SLICE(" and more, a@b.com too"));
    buf_printf(&want, "email %zu 7\n", buf_len(&text) - 11);
    expect_cut(all, buf_slice(&text), buf_slice(&want), NULL, 0);
    for (uint32_t i = 0; i < 12; i++)
        expect_random(all, buf_slice(&text), buf_slice(&want), 1u << i);
    for (size_t cut = LIMIT_DETECT_HOLD_BYTES - 8; cut < LIMIT_DETECT_HOLD_BYTES + 8; cut++)
        expect_steps(all, buf_slice(&text), buf_slice(&want), cut, buf_len(&text));
    buf_clear(&text);
    buf_clear(&want);
}

static void long_keys_and_tokens_in_pieces(void)
{
    check_long("api_key", "sk-" "a1", 3000, " ");
    check_long("api_key", "sk-" "a1", LIMIT_DETECT_HOLD_BYTES - 5, " ");
    check_long("api_key", "sk-" "a1", 3 * LIMIT_DETECT_HOLD_BYTES, " ");
    check_long("api_key", "-----BEGIN " "PRIVATE KEY-----\n", 3 * LIMIT_DETECT_HOLD_BYTES, "\\n-");
    check_long("jwt", HEADER "." PAYLOAD ".", 3 * LIMIT_DETECT_HOLD_BYTES, "!");
    check_long("jwt", HEADER "." PAYLOAD, 3 * LIMIT_DETECT_HOLD_BYTES, ".signature_of_it ");
    for (size_t at = 0; at < 10; at++)
        check_long("jwt", HEADER "." PAYLOAD, LIMIT_DETECT_HOLD_BYTES - 54 + at, ".signature_of_it ");
}

static void long_names_and_domains(void)
{
    struct buf text;
    buf_init(&text);
    append_run(&text, "n", 200);
    buf_append(&text, SLICE("@example.com"));
    check_text(all, buf_slice(&text), SLICE("email 136 76\n"));
    buf_reset(&text);
    buf_append(&text, SLICE("a@"));
    append_run(&text, "b.", 250);
    buf_append(&text, SLICE("com"));
    check_text(all, buf_slice(&text), SLICE("email 0 255\n"));
    buf_reset(&text);
    buf_append(&text, SLICE("a@example.com."));
    append_run(&text, "b.", 300);
    check_text(all, buf_slice(&text), SLICE("email 0 13\n"));
    buf_clear(&text);
}

/* Fragments glued at random, so that candidates touch and overlap: no cut may show. */
static void overlapping_candidates(void)
{
    static const char *const fragments[] = {
        "john", "@", "example.com", ".", "-", " ", "+", "(", ")", "/", ",", "_", "\xC3\xA9", "\xE2\x80\x91", "\xC2\xA0",
        "\xE4\xB8\xAD", "1", "12", "123", "0", "00", "030", "415", "555", "2671", "4111", "1111", "4111111111111111",
        "45", "6789", "DE89", "3704", "0044", "0532", "0130", "00 ", "NO9386011117947", "EMP-", "004211", "case #",
        "AB",
        " 12/34", "::", "abc", "Blue ", "Heron", "sk-", "a1b2c3d4e5f6g7h8i9j0", "ghp_", "AKIA", "IOSFODNN7EXAMPLE",
        HEADER, PAYLOAD, "eyJ", "co", "SG.",
        "-----BEG", "IN PRIVATE KEY", "-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA",
    };
    struct buf text;
    buf_init(&text);
    for (int round = 0; round < 1500; round++) {
        struct seen whole;
        buf_reset(&text);
        for (uint32_t n = 2 + next_random(12); n > 0; n--)
            buf_append(&text, slice_str(fragments[next_random(sizeof fragments / sizeof fragments[0])]));
        feed(&whole, all, buf_slice(&text), NULL, 0);
        expect_steps(all, buf_slice(&text), buf_slice(&whole.hits), 1, 1);
        for (uint32_t i = 0; i < 8; i++)
            expect_random(all, buf_slice(&text), buf_slice(&whole.hits), 3 + i * 4);
        buf_clear(&whole.hits);
    }
    buf_clear(&text);
}

/* In prose no more than the last word or number waits. */
static void little_is_held(void)
{
    static const struct slice prose = SLICE("The committee met again (in 2024, at 10:30) and, after 3.5 hours, it had "
                                            "not agreed. \"Well-known\" reasons were given: 1. money, 2. time.");
    struct seen seen;
    size_t cuts[200], count = 0;
    for (size_t at = 1; at < prose.len; at++)
        cuts[count++] = at;
    EXPECT(feed(&seen, all, prose, cuts, count) <= 11);
    EXPECT_SLICE(SLICE(""), buf_slice(&seen.hits));
    buf_clear(&seen.hits);
}

/* Bytes looked at, for each byte of 64 KB of `unit`. */
static uint64_t steps_per_byte(const char *unit, size_t piece)
{
    struct detect_state at = {0};
    struct seen seen = {.d = all};
    struct buf text;
    size_t kept = 0;
    buf_init(&text);
    buf_init(&seen.hits);
    append_run(&text, unit, 64u * KIB);
    for (size_t end = piece;; end += piece) {
        bool is_last = end >= buf_len(&text);
        if (is_last) end = buf_len(&text);
        seen.base = kept;
        kept += detect_scan(all, &at, slice_of(buf_ptr(&text) + kept, end - kept), is_last, on_hit, &seen);
        if (is_last) break;
    }
    uint64_t steps = at.steps / buf_len(&text);
    buf_clear(&text);
    buf_clear(&seen.hits);
    return steps;
}

/* Texts made to be slow: each byte may be looked at some times, but not more often in a longer text. */
static void no_text_is_slow(void)
{
    static const char *const units[] = {
        "a", "@", "a@", "a.", "a@a.", "a-", "1", "1 ", "1-", "12-", "123 ", "1234 ", "4111 ", "41111111 ", "123-45-",
        "+1 ", "(", "(1", "+", "0 0", "00 1 ", "01 ", "sk-", "sk-a-", "sk-1", "eyJ", "eyJ.", "eyJaaaaaaa.",
        "eyJaaaaaaaaaa..", "-----BEGIN ", "-----BEGIN " "PRIVATE KEY-----", "EG", "AKIA", "ghp_",
        "xoxb-", "DE89 ", "DE89", "EMP-", "EMP-1", "EMP-12345 ", "case #", "case #aa 1", "::", "::a",
        "blue ", "blue hero", "@@@@@@", "aa-1", "\xC3\xA9", "\xC3\xA9@", "\xE2\x80\x91", "1\xC2\xA0", "a@b.com ",
    };
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        uint64_t whole = steps_per_byte(units[i], SIZE_MAX / 2), pieces = steps_per_byte(units[i], 64);
        if (whole > 40) UNIT_FAIL("\"%s\": %" PRIu64 " steps a byte", units[i], whole);
        if (pieces > 40 + 2 * LIMIT_DETECT_HOLD_BYTES / 64)
            UNIT_FAIL("\"%s\" in pieces: %" PRIu64 " steps a byte", units[i], pieces);
    }
}

/* ---- Construction. */

static void kinds_have_names(void)
{
    EXPECT_INT(DETECT_KINDS, detect_kind_count(NULL));
    EXPECT_INT(DETECT_KINDS + MASKS, detect_kind_count(all));
    EXPECT_SLICE(SLICE("credit_card"), detect_kind_name(NULL, DETECT_CREDIT_CARD));
    EXPECT_SLICE(SLICE("employee_id"), detect_kind_name(all, DETECT_KINDS));
    EXPECT_INT(DETECT_KINDS + 2, detect_kind_id(all, SLICE("project")));
    EXPECT_INT(DETECT_NO_KIND, detect_kind_id(NULL, SLICE("project")));
    for (unsigned kind = 0; kind < detect_kind_count(all); kind++)
        EXPECT_INT(kind, detect_kind_id(all, detect_kind_name(all, kind)));
    EXPECT_INT(0, detect_kind_name(all, detect_kind_count(all)).len);
}

static void only_the_kinds_asked_for(void)
{
    static const struct slice text = SLICE("a@b.com 4111111111111111 123-45-6789 415-555-2671 NO9386011117947 "
                                           "123-45-6789@b.com");
    static const struct {
        uint32_t kinds;
        const char *want;
    } table[] = {
        {0, ""},
        {1u << DETECT_EMAIL, "email 0 7\nemail 66 17\n"},
        {1u << DETECT_CREDIT_CARD, "credit_card 8 16\n"},
        {1u << DETECT_US_SSN, "us_ssn 25 11\nus_ssn 66 11\n"},
        {1u << DETECT_PHONE, "phone 37 12\n"},
        {1u << DETECT_IBAN, "iban 50 15\n"},
        {1u << DETECT_API_KEY | 1u << DETECT_JWT, ""},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct fault why;
        struct detect *d = detect_new(table[i].kinds, NULL, 0, &why);
        check_text(d, text, slice_str(table[i].want));
        detect_free(d);
    }
}

static void expect_refused(const char *name, const char *like, const char *want)
{
    struct detect_mask two[] = {{SLICE("first"), SLICE("A-##")}, {slice_str(name), slice_str(like)}};
    struct fault why = {.code = FAULT_NONE};
    struct detect *d = detect_new(DETECT_ALL, two, 2, &why);
    EXPECT(!d);
    EXPECT_STR(want, fault_message(&why));
    detect_free(d);
}

static void bad_masks_are_refused(void)
{
    struct detect_mask many[LIMIT_DETECT_MASKS + 1] = {{SLICE("a"), SLICE("A-#")}};
    struct fault why;
    expect_refused("", "A-##", "a mask's name has 1 to 64 characters");
    expect_refused("Staff", "A-##", "mask name \"Staff\": only a-z, 0-9 and _ can stand in it");
    expect_refused("email", "A-##", "mask name \"email\" is a built-in kind");
    expect_refused("first", "A-##", "mask name \"first\" is given twice");
    expect_refused("x", "", "mask \"\": a mask has at least two characters");
    expect_refused("x", "\\#", "mask \"\\#\": a mask has at least two characters");
    expect_refused("x", "##\\", "mask \"##\\\": nothing follows the last \\");
    expect_refused("x", "#\n#", "mask \"#\n#\": control characters cannot stand in a mask");
    expect_refused("x", "@@@@", "mask \"@@@@\": it would match nearly every word; give it a # or two plain characters "
                                "in a row");
    expect_refused("x", "#################################################################",
                   "the mask of \"x\" has 65 bytes, 64 are the limit");
    EXPECT(!detect_new(DETECT_ALL, many, LIMIT_DETECT_MASKS + 1, &why));
    EXPECT_STR("33 masks, 32 are the limit", fault_message(&why));
}

int main(void)
{
    struct fault why;
    all = detect_new(DETECT_ALL, masks, MASKS, &why);
    RUN(long_keys_and_tokens_in_pieces);
    RUN(long_names_and_domains);
    RUN(overlapping_candidates);
    RUN(little_is_held);
    RUN(no_text_is_slow);
    RUN(kinds_have_names);
    RUN(only_the_kinds_asked_for);
    RUN(bad_masks_are_refused);
    detect_free(all);
    return unit_close("detect bounds");
}
