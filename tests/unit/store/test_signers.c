/* Files of allowed signers: whose keys, for what, from when to when, and who is one person. */
#include <stdlib.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/limits.h"
#include "store/sshsig/signers.h"
#include "../unit.h"

#define NAME SLICE("moongate-bundle")
#define K1 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIInmYIMZzVEex3GEQqbNSC8tg0cr2fqcSkOi0E5cKCQ7"
#define K2 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP0lKR6TlfWZo+gpnWVCk4mpUdZPXj+h7/aqoKOGhY7A"
#define K3 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIId28PKIAuemuS7I0iZRkJ3WANm9hzmOiFqafHUbuoTG"

#define T2026 1767225600 /* 2026-01-01T00:00:00Z */

static struct signers *read_text(const char *text)
{
    return signers_read(slice_str(text));
}

/* The bytes of a key, as its line has them. */
static struct slice key_of(const char *line)
{
    static char bytes[3][256];
    static int next;
    size_t len = 0;
    char *to = bytes[next++ % 3];
    struct slice text;
    slice_split(slice_str(line), ' ', &text);
    check(base64_read(text, (uint8_t *)to, &len));
    return slice_of(to, len);
}

static bool may(const struct signers *all, const char *who, const char *key, int64_t now_s)
{
    struct fault why = {0};
    bool is_good = signers_find(all, slice_str(who), key_of(key), NAME, now_s, &why) != NULL;
    if (!is_good) EXPECT(fault_message(&why)[0]);
    return is_good;
}

static void finds_whose_key_it_is(void)
{
    struct signers *all = read_text("# people\n\nana," "ana@example.com " K1 " ana's laptop\r\n  kim\t" K2 "\n");
    EXPECT_INT(2, signers_count(all));
    EXPECT_INT(0, signers_refused_count(all));
    EXPECT_INT(3, signers_at(all, 0)->line);
    EXPECT(may(all, "ana", K1, T2026));
    EXPECT(may(all, "ana@example.com", K1, T2026));
    EXPECT(may(all, "kim", K2, T2026));
    EXPECT(!may(all, "kim", K1, T2026));
    EXPECT(!may(all, "ana", K2, T2026));
    EXPECT(!may(all, "ana", K3, T2026));
    EXPECT(!may(all, "an", K1, T2026));
    EXPECT(!may(all, "ana,ana@example.com", K1, T2026));
    signers_free(all);
}

static void keeps_to_times(void)
{
    struct signers *all = read_text("ana valid-after=\"20260101Z\",valid-before=\"20260102000000Z\" " K1 "\n"
                                    "kim VALID-BEFORE=\"202601010001Z\" " K2 "\n");
    EXPECT_INT(2, signers_count(all));
    EXPECT(!may(all, "ana", K1, T2026 - 1));
    EXPECT(may(all, "ana", K1, T2026));
    EXPECT(may(all, "ana", K1, T2026 + 86400));
    EXPECT(!may(all, "ana", K1, T2026 + 86401));
    EXPECT(may(all, "kim", K2, T2026 + 60));
    EXPECT(!may(all, "kim", K2, T2026 + 61));
    signers_free(all);
    setenv("TZ", "UTC-2", 1); /* two hours east */
    all = read_text("ana valid-after=\"20260101\" " K1 "\n");
    EXPECT(may(all, "ana", K1, T2026 - 7200));
    EXPECT(!may(all, "ana", K1, T2026 - 7201));
    signers_free(all);
    unsetenv("TZ");
}

static void keeps_to_namespaces(void)
{
    struct signers *all = read_text("ana namespaces=\"git\" " K1 "\nkim namespaces=\"git,moongate-bundle\" " K2 "\n"
                                    "lee namespaces=\"moongate\" " K3 "\n");
    EXPECT_INT(3, signers_count(all));
    EXPECT(!may(all, "ana", K1, T2026));
    EXPECT(may(all, "kim", K2, T2026));
    EXPECT(!may(all, "lee", K3, T2026));
    signers_free(all);
}

/* Another line may let the same key in. */
static void tries_all_lines(void)
{
    struct signers *all = read_text("ana valid-before=\"20250101Z\" " K1 "\nana " K1 "\n");
    EXPECT(may(all, "ana", K1, T2026));
    signers_free(all);
}

static void refuses_what_it_does_not_understand(void)
{
    static const char *const lines[] = {
        "ana cert-authority " K1, "ana cert-authority,namespaces=\"moongate-bundle\" " K1, "ana no-touch-required " K1,
        "ana namespaces=\"moongate-bundle\",agent " K1, "ana valid-after=\"2026\" " K1,
        "ana valid-after=20260101Z " K1, "ana valid-after=\"20260230Z\" " K1, "ana valid-before=\"202601012460Z\" " K1,
        "ana valid-before=\"20260101z\" " K1, "ana valid-before=\"\" " K1, "ana namespaces=\"\" " K1,
        "ana namespaces=\"moon*\" " K1, "ana namespaces=\"!git,moongate-bundle\" " K1, "ana valid-after=\"20260101Z " K1,
        "ana valid-after=\"20260102Z\",valid-before=\"20260101Z\" " K1, "ana namespaces=\"a\",namespaces=\"b\" " K1,
        "ana valid-after=\"20260101Z\",valid-after=\"20250101Z\" " K1, "ana namespaces=\"a\", " K1,
        "* " K1, "*@example.com " K1, "ana,!kim " K1, "ana, " K1, ",ana " K1, "-ana " K1, "../ana " K1, "\"ana\" " K1,
        "ana", "ana ssh-ed25519", "ana " K1 "=", "ana ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIInmYIMZzVEex3GEQqbNSC8tg0cr2fqcSkOi0E5cKCQ7",
        "ana ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIInmYIMZzVEex3GEQqbNSC8tg0cr2fqcSkOi0E5cKCQ7AAAA",
        "ana ssh-dss AAAAB3NzaC1kc3M=", K1,
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct buf text;
        buf_init(&text);
        buf_printf(&text, "kim " K2 "\n%s\n", lines[i]);
        struct signers *all = signers_read(buf_slice(&text));
        if (signers_count(all) != 1) UNIT_FAIL("taken: %s", lines[i]);
        EXPECT_INT(1, signers_refused_count(all));
        if (signers_refused_count(all)) {
            EXPECT_INT(2, signers_refused_at(all, 0)->line);
            EXPECT(signers_refused_at(all, 0)->why.len > 0);
        }
        EXPECT(may(all, "kim", K2, T2026));
        signers_free(all);
        buf_clear(&text);
    }
}

static void counts_people(void)
{
    struct signers *all = read_text("ana " K1 "\nkim " K2 "\nana,ann " K3 "\n");
    EXPECT_INT(0, signers_at(all, 2)->person); /* two keys, one name */
    EXPECT_INT(1, signers_at(all, 1)->person);
    EXPECT_SLICE(SLICE("ana"), signers_person(all, 0));
    signers_free(all);
    all = read_text("ana " K1 "\nkim " K1 "\n");
    EXPECT_INT(0, signers_at(all, 1)->person); /* two names, one key */
    signers_free(all);
    all = read_text("ana " K1 "\nkim " K2 "\nlee " K3 "\nkim,lee " K1 "\n");
    for (size_t i = 0; i < signers_count(all); i++)
        EXPECT_INT(0, signers_at(all, i)->person); /* the last line joins all */
    signers_free(all);
}

static void is_bounded(void)
{
    struct buf text;
    buf_init(&text);
    for (unsigned i = 0; i < LIMIT_SIGNERS + 1; i++)
        buf_printf(&text, "p%u " K1 "\n", i);
    struct signers *all = signers_read(buf_slice(&text));
    EXPECT_INT(LIMIT_SIGNERS, signers_count(all));
    EXPECT_INT(1, signers_refused_count(all));
    signers_free(all);
    while (buf_len(&text) <= LIMIT_SIGNERS_BYTES)
        buf_append(&text, SLICE("# more\n"));
    all = signers_read(buf_slice(&text));
    EXPECT_INT(0, signers_count(all));
    EXPECT_INT(1, signers_refused_count(all));
    signers_free(all);
    buf_clear(&text);
    all = signers_read(SLICE("ana " K1 "\0"));
    EXPECT_INT(0, signers_count(all));
    signers_free(all);
    all = signers_read(SLICE_NONE);
    EXPECT_INT(0, signers_count(all));
    signers_free(all);
}

int main(void)
{
    RUN(finds_whose_key_it_is);
    RUN(keeps_to_times);
    RUN(keeps_to_namespaces);
    RUN(tries_all_lines);
    RUN(refuses_what_it_does_not_understand);
    RUN(counts_people);
    RUN(is_bounded);
    return unit_close("signers");
}
