/* Detectors: what is found and what is not, and the same hits however the text is cut. */
#include "../unit.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/detect.h"

/* In a sample "{kind|text}" stands for text that must be found as that kind, and nothing else must be found. */
struct sample {
    struct buf text, want; /* want: one line a hit, "kind from len" */
};

static const struct detect_mask masks[] = {
    {{"employee_id", 11}, {"EMP-######", 10}},
    {{"ticket", 6}, {"case \\#@@ ##/##", 15}},
    {{"project", 7}, {"::@@@", 5}},
    {{"codename", 8}, {"Blue Heron", 10}},
    {{"plate", 5}, {"@@-####-@", 9}},
};
#define MASKS (sizeof masks / sizeof masks[0])

static struct detect *all;

static void sample_init(struct sample *s, const char *marked)
{
    size_t from = 0;
    struct slice kind = SLICE_NONE;
    buf_init(&s->text);
    buf_init(&s->want);
    for (const char *p = marked; *p; p++) {
        const char *bar = *p == '{' ? p + 1 + strspn(p + 1, "abcdefghijklmnopqrstuvwxyz_") : "";
        if (*bar == '|') {
            kind = slice_of(p + 1, (size_t)(bar - p - 1));
            from = buf_len(&s->text);
            p = bar;
        } else if (*p == '}' && kind.ptr) {
            buf_printf(&s->want, "%.*s %zu %zu\n", SLICE_FMT(kind), from, buf_len(&s->text) - from);
            kind = SLICE_NONE;
        } else {
            buf_append_char(&s->text, *p);
        }
    }
}

static void sample_clear(struct sample *s)
{
    buf_clear(&s->text);
    buf_clear(&s->want);
}

struct seen {
    const struct detect *d;
    struct buf hits;
    size_t base, end; /* of the text of this call in the whole; of the last hit */
};

static void on_hit(void *arg, const struct detect_hit *hit)
{
    struct seen *seen = arg;
    EXPECT(seen->base + hit->from >= seen->end && hit->len > 0);
    seen->end = seen->base + hit->from + hit->len;
    buf_printf(&seen->hits, "%.*s %zu %zu\n", SLICE_FMT(detect_kind_name(seen->d, hit->kind)), seen->base + hit->from,
               hit->len);
}

/* Feeds the text in pieces; each call sees a copy of exact size, so that the sanitizers see what is read too far. */
static size_t feed(struct seen *seen, const struct detect *d, struct slice text, const size_t *cuts, size_t count)
{
    struct detect_state at = {0};
    size_t kept = 0, held_max = 0;
    *seen = (struct seen){.d = d};
    buf_init(&seen->hits);
    for (size_t i = 0; i <= count; i++) {
        size_t end = i < count ? cuts[i] : text.len;
        char *copy = mem_alloc(end - kept + (end == kept));
        if (end > kept) memcpy(copy, text.ptr + kept, end - kept);
        seen->base = kept;
        size_t safe = detect_scan(d, &at, slice_of(copy, end - kept), i == count, on_hit, seen);
        EXPECT(safe <= end - kept && seen->end <= kept + safe);
        kept += safe;
        if (i < count && end - kept > held_max) held_max = end - kept;
        mem_free(copy);
    }
    EXPECT_INT(text.len, kept);
    EXPECT(held_max <= LIMIT_DETECT_HOLD_BYTES);
    return held_max;
}

static void expect_cut(const struct detect *d, struct slice text, struct slice want, const size_t *cuts, size_t count)
{
    struct seen seen;
    feed(&seen, d, text, cuts, count);
    if (!slice_equal(want, buf_slice(&seen.hits)))
        UNIT_FAIL("cut %zu times, first at %zu: \"%.*s\": expected \"%.*s\", got \"%.*s\"", count, count ? cuts[0] : 0,
                  SLICE_FMT(text), SLICE_FMT(want), SLICE_FMT(buf_slice(&seen.hits)));
    buf_clear(&seen.hits);
}

/* Cut at `from`, and again every `step` bytes. */
static void expect_steps(const struct detect *d, struct slice text, struct slice want, size_t from, size_t step)
{
    size_t *cuts = mem_alloc((text.len + 1) * sizeof *cuts), count = 0;
    for (size_t at = from; at < text.len; at += step)
        cuts[count++] = at;
    expect_cut(d, text, want, cuts, count);
    mem_free(cuts);
}

static uint32_t random_state = 1;

static uint32_t next_random(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

static void expect_random(const struct detect *d, struct slice text, struct slice want, uint32_t longest)
{
    size_t *cuts = mem_alloc((text.len + 1) * sizeof *cuts), count = 0;
    for (size_t at = next_random(longest); at < text.len; at += 1 + next_random(longest))
        cuts[count++] = at;
    expect_cut(d, text, want, cuts, count);
    mem_free(cuts);
}

/* Whole, byte by byte, cut once and twice at every position, cut at random. */
static void check_text(const struct detect *d, struct slice text, struct slice want)
{
    int failures = unit_case_failures;
    expect_cut(d, text, want, NULL, 0);
    if (unit_case_failures > failures) return; /* the cuts would say no more */
    expect_steps(d, text, want, 1, 1);
    for (size_t cut = 0; cut < text.len; cut++) {
        expect_steps(d, text, want, cut, text.len);
        expect_steps(d, text, want, cut, 3);
    }
    for (uint32_t i = 0; i < 20; i++)
        expect_random(d, text, want, 2 + i * 2);
}

static void check(const char *marked)
{
    struct sample s;
    sample_init(&s, marked);
    check_text(all, buf_slice(&s.text), buf_slice(&s.want));
    sample_clear(&s);
}

static void check_table(const char *const *table, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(table[i]);
}
#define CHECK_ALL(...)                                                                                                 \
    do {                                                                                                               \
        static const char *const table[] = {__VA_ARGS__};                                                              \
        check_table(table, sizeof table / sizeof table[0]);                                                            \
    } while (0)

static void addresses(void)
{
    CHECK_ALL("", "@", "a@", "@b.com", "a@b", "a@b.c", "{email|a@b.co}", "write to {email|john.doe@example.com}.",
              "{email|first.last+tag@mail.example.co.uk}, and", "<{email|x_y%z-1@sub-domain.example.org}>",
              "mailto:{email|a@example.com}?subject=x", "'{email|o'brien@example.ie}'",
              "...{email|a@example.com}...", "{email|müller@straße.de}", "{email|иван@почта.рф}",
              "请联系{email|john@example.com}谢谢", "“{email|john@example.com}”",
              "a@@{email|b@example.com}", "a@{email|b@example.com}", "{email|user@mastodon.social}@",
              "lodash@4.17.21", "@types/node@18.2.0", "root@192.168.1.10", "{email|a@b.com}.123",
              "{email|a@b.com}-foo", "a@b.c0m", "a@-b.com", "a@b-.com", "{email|a@b.com}_x",
              "{email|a@xn--e1afmkfd.xn--p1ai}", "a@b..com", "{email|555-123-4567@example.com}",
              "{email|4111111111111111@example.com}", "a@b.com1",
              "{email|jane@example.com},{email|joe@example.com};{email|jim@example.com}", "@handle and @other");
}

static void phones(void)
{
    CHECK_ALL("call {phone|+1 555 123 4567} now", "{phone|+14155552671}", "{phone|+49 (0)30 1234567}",
              "{phone|(415) 555-2671}", "{phone|415-555-2671}", "{phone|415.555.2671}", "{phone|415 555-2671}",
              "{phone|1-800-555-0199}", "{phone|1 (800) 555-0199}", "{phone|+44 20 7946 0958}, or",
              "({phone|+1 415 555 2671})", "({phone|415-555-2671})", "tel:{phone|+4915112345678}",
              "{phone|030 1234567}", "{phone|(030) 1234567}", "{phone|0171/1234567}", "{phone|06 12 34 56 78}.",
              "{phone|0049 30 1234567}", "{phone|555\u2011123\u20114567}", "{phone|+1\u00A0415\u00A0555\u00A02671}",
              "{phone|415 - 555 - 2671}", "in 2024 {phone|415-555-2671} was it", "{phone|555-123-4567} 12");
    CHECK_ALL("5551234567", "1712345678", "version 1.2.3.4", "v10.15.7", "192.168.100.200", "10.0.0.1:8080",
              "2024-01-02 10:30:00", "09-12-2024 10:30", "01.02.2024", "3.141592653589793", "+3.141592653589793",
              "+12.34567890", "415-555-2671-1", "x415-555-2671", "415-555-2671x", "#415-555-2671", "02139-4307",
              "100 200 3000", "200 300 4000", "1,234,567,890", "00 11 22 33 44 55",
              "550e8400-e29b-41d4-a716-446655440000", "978-3-16-148410-0", "12 415 555 2671", "415 555 2671 12",
              "order 123-456-7890", "0.0001234567", "007 12", "2024 2025 2026", "call 911", "3 + 4 - 5", "555-1234");
}

static void cards(void)
{
    CHECK_ALL("{credit_card|4111111111111111}", "{credit_card|4111 1111 1111 1111}",
              "{credit_card|4111-1111-1111-1111}", "card {credit_card|5500 0000 0000 0004}.",
              "{credit_card|3782 822463 10005}", "{credit_card|378282246310005}", "{credit_card|6011111111111117}",
              "{credit_card|3530111333300000}", "{credit_card|30569309025904}",
              "{credit_card|4111 1111 1111 1111} 12/27 123", "1 {credit_card|4111 1111 1111 1111}",
              "卡号{credit_card|4111111111111111}号", "({credit_card|4111 1111 1111 1111})",
              "{credit_card|4111\u00A01111\u00A01111\u00A01111}", "card-{credit_card|4111111111111111}",
              "{credit_card|4222222222222}", "{credit_card|2223003122003222}");
    CHECK_ALL("4111111111111112", "order 1234567890123456", "4111 1111 1111 1112", "41111111111111111111",
              "0.4111111111111111", "4111111111111111.5", "x4111111111111111", "4111111111111111a",
              "é4111111111111111", "4111-1111 1111-1111", "9111111111111111", "1111111111111117",
              "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1");
}

static void social_security_numbers(void)
{
    CHECK_ALL("{us_ssn|123-45-6789}", "SSN: {us_ssn|123-45-6789}.", "{us_ssn|123 45 6789}",
              "{us_ssn|123\u201145\u20116789}", "ssn={us_ssn|536-90-4399}, dob", "{us_ssn|123-45-6789} 12");
    CHECK_ALL("000-45-6789", "666-45-6789", "900-45-6789", "123-00-6789", "123-45-0000", "123456789", "1123-45-6789",
              "123-45-67890", "123-45-6789-1", "1-123-45-6789", "12 123 45 6789", "123 45 6789 1", "100 20 2024",
              "123-45 6789", "a123-45-6789", "123-45-6789_");
}

static void ibans(void)
{
    CHECK_ALL("{iban|DE89370400440532013000}", "{iban|DE89 3704 0044 0532 0130 00} and",
              "{iban|GB29 NWBK 6016 1331 9268 19}.", "{iban|gb29nwbk60161331926819}", "{iban|NO9386011117947}",
              "IBAN:{iban|FR1420041010050500013M02606}", "{iban|MT84MALT011000012345MTLCAST001S}",
              "{iban|CH93-0076-2011-6238-5295-7}", "电{iban|NO9386011117947}电");
    CHECK_ALL("DE88370400440532013000", "DE8937040044053201300", "DE893704004405320130001",
              "XDE89370400440532013000", "ZZ89370400440532013000", "DE89 3704 0044 0532 0130 0",
              "in 10 years at 12 o'clock", "AT10 this is text");
}

static void keys(void)
{
    CHECK_ALL("key {api_key|sk-" "abcd1234efgh5678ijkl}", "{api_key|sk-" "proj-A1b2C3d4_E5f6-G7h8I9j0K1l2}.",
              "{api_key|sk-" "abcdefghijklmnopqrstuvwxyz}", "{api_key|AKIA" "IOSFODNN7EXAMPLE}",
              "{api_key|ghp_" "0123456789abcdefghijABCDEFGHIJ012345}", "{api_key|glpat-" "A1b2C3d4E5f6G7h8I9j0}",
              "{api_key|AIza" "SyA1234567890abcdefghijklmnopqrstuv}", "{api_key|xoxb-" "123456789012-abcdefABCDEF}",
              "{api_key|mgk_" "0123456789abcdefghijklmnop}", "OPENAI_API_KEY={api_key|sk-" "abcd1234efgh5678ijkl}",
              "\"{api_key|sk-" "abcd1234efgh5678ijkl}\"",
              "{api_key|SG." "abcdefghijklmnop123456.abcdefghijklmnopqrstuvwx}.");
    CHECK_ALL("sk-SK", "a task-oriented risk-free sk-fading-circle-container-something-long",
              "xsk-" "abcd1234efgh5678ijkl", "AKIA" "IOSFODNN7EXAMPL", "AKIA" "IOSFODNN7EXAMPLEX", "ghp_short",
              "sk-" "abc", "AIza" "Sy", "sk-", "AKI", "gh");
}

#define HEADER "eyJ" "hbGciOiJIUzI1NiJ9"
#define PAYLOAD "eyJ" "zdWIiOiIxMjM0NTY3ODkwIn0"
static void tokens(void)
{
    CHECK_ALL("Bearer {jwt|" HEADER "." PAYLOAD ".dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U}.",
              "{jwt|" HEADER "." PAYLOAD ".x_-9} ok", "{jwt|" HEADER "." PAYLOAD "}. unsigned",
              "{jwt|" HEADER "..48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFS.XFBoMYUZod}",
              "a.{jwt|" HEADER "." PAYLOAD ".abc}");
    CHECK_ALL(HEADER, HEADER "." PAYLOAD, HEADER "." PAYLOAD " ", "eyJ.eyJ.x", "eyJ", "x" HEADER "." PAYLOAD ".abc",
              "-" HEADER "." PAYLOAD ".abc");
}

static void author_masks(void)
{
    CHECK_ALL("{employee_id|EMP-123456}", "({employee_id|emp-123456}), {employee_id|EMP-000000}", "EMP-1234567",
              "XEMP-123456", "EMP-12345", "EMP-12345x", "{employee_id|EMP-123456}-7",
              "员工{employee_id|EMP-123456}号", "EMP-123456é", "the {ticket|case #AB 12/34} is", "case #AB 12/3",
              "case #AB 12/345", "case #A", "case #", "xcase #AB 12/34", "{project|::abc} {project|::XYZ}", "::ab",
              "::abcd", "a:: b", "{project|::abc}::", ":{project|::abc}", "{codename|Blue Heron} flies",
              "{codename|bLUE hERON}", "Blue Herons", "Blue  Heron", "Blue Hero", "{plate|AB-1234-C}", "AB-1234-CD",
              "a {plate|xy-0000-z}!", "AB-1234", "{employee_id|EMP-123456}{project|::abc}");
}

static void mixtures(void)
{
    CHECK_ALL("John ({email|john@example.com}, {phone|+1 415 555 2671}) paid with {credit_card|4111 1111 1111 1111}, "
              "SSN {us_ssn|123-45-6789}; IBAN {iban|DE89 3704 0044 0532 0130 00}, id {employee_id|EMP-004211}, "
              "key {api_key|sk-" "abcd1234efgh5678ijkl}.",
              "{\"a\":\"{email|a@example.com}\",\"n\":12345,\"p\":[1,2,3]}",
              "{email|a@example.com}\n{email|b@example.com}\n",
              "On 2024-05-06 at 10:30 we sold 1,234 items for $5,678.90 (see v1.2.3, page 45-47).");
}

/* ---- Bounds. */

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
        "eyJaaaaaaaaaa..", "AKIA", "ghp_", "xoxb-", "DE89 ", "DE89", "EMP-", "EMP-1", "EMP-12345 ", "case #", "case #aa 1", "::", "::a",
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
    RUN(addresses);
    RUN(phones);
    RUN(cards);
    RUN(social_security_numbers);
    RUN(ibans);
    RUN(keys);
    RUN(tokens);
    RUN(author_masks);
    RUN(mixtures);
    RUN(long_keys_and_tokens_in_pieces);
    RUN(long_names_and_domains);
    RUN(little_is_held);
    RUN(no_text_is_slow);
    RUN(kinds_have_names);
    RUN(only_the_kinds_asked_for);
    RUN(bad_masks_are_refused);
    detect_free(all);
    return unit_close("detect");
}
