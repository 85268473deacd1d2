/*
 * Texts without anybody's data in them, made at random: what a detector finds there is a false alarm.
 *
 *     struct harmless h = {.seed = 1};
 *     for (unsigned kind = 0; kind < HARMLESS_KINDS; kind++)
 *         harmless_text(&h, kind, &text);              // harmless_names[kind]
 */
#ifndef MOONGATE_TESTS_UNIT_HARMLESS_H
#define MOONGATE_TESTS_UNIT_HARMLESS_H

#include <stdint.h>

#include "base/buf.h"

struct harmless {
    uint64_t seed;
};

static inline unsigned harmless_draw(struct harmless *h, unsigned below)
{
    h->seed += 0x9E3779B97F4A7C15ull;
    uint64_t z = h->seed;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return (unsigned)((z ^ z >> 31) % below);
}

static inline void harmless_chars(struct harmless *h, struct buf *out, const char *set, unsigned count)
{
    unsigned size = (unsigned)strlen(set);
    for (unsigned i = 0; i < count; i++)
        buf_append_char(out, set[harmless_draw(h, size)]);
}

#define HARMLESS_DIGITS "0123456789"
#define HARMLESS_HEX "0123456789abcdef"
#define HARMLESS_BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

static inline const char *harmless_word(struct harmless *h)
{
    static const char *const words[] = {"index", "user", "report", "total", "value", "the", "of", "order", "main", "line", "count",
                                        "data", "test", "page", "icon", "handler", "config", "north", "result", "module", "size"};
    return words[harmless_draw(h, sizeof words / sizeof words[0])];
}

static inline char harmless_check_digit(const char *end)
{
    unsigned sum = 0;
    for (int i = 1; i <= 12; i++)
        sum += (unsigned)(end[-i] - '0') * (i % 2 ? 3 : 1);
    return (char)('0' + (10 - sum % 10) % 10);
}

/*
 * One item by its pattern: # a digit, $ one that is not 0, ? one to five digits, ~ a hexadecimal one, ^ of base64, % a word,
 * & the check digit of the twelve digits before it (EAN-13), everything else itself.
 */
static inline void harmless_item(struct harmless *h, const char *pattern, struct buf *out)
{
    for (; *pattern; pattern++) {
        switch (*pattern) {
        case '#': harmless_chars(h, out, HARMLESS_DIGITS, 1); break;
        case '~': harmless_chars(h, out, HARMLESS_HEX, 1); break;
        case '^': harmless_chars(h, out, HARMLESS_BASE64, 1); break;
        case '%': buf_append(out, slice_str(harmless_word(h))); break;
        case '?':
            harmless_chars(h, out, "123456789", 1);
            harmless_chars(h, out, HARMLESS_DIGITS, harmless_draw(h, 5));
            break;
        case '&': buf_append_char(out, harmless_check_digit(buf_ptr(out) + buf_len(out))); break;
        case '$': harmless_chars(h, out, "123456789", 1); break;
        default: buf_append_char(out, *pattern);
        }
    }
}

#define HARMLESS_PATTERNS 12u

static const struct harmless_kind {
    const char *name;
    const char *patterns[HARMLESS_PATTERNS];
} harmless_kinds[] = {
    {"code", {"for (int % = 0; % < ?; %++) {\n", "%[?] = %(?, 0x~~~~) + ?;\n", "\n@%.%(?)\n", "def %(self, %=?):\n", "// % ? %\n",
              "return %.%[\"%\"] * ?.##f;\n", "\\u00~~ \\n\\t \\x~~ %", "s/%@%/g; a@=?;\n", "if (%@? != ?) %->%();\n",
              "%.?(?)(?)", "const % = [?, ?, ?, ?];\n"}},
    {"logs", {"20##-0$-1# 1#:2#:3#.### INFO [%-?] % took ? ms\n", "1##.1##.#.1# - - [1#/Jan/20##:1#:2#:3# +0000] \"GET /%/? HTTP/1.1\" 200 ?\n",
              "level=info ts=17########.### caller=%.go:? msg=\"% %\" dur=?ms\n", "[ ?.######] %: % 0000:0#:1#.#: ? MiB\n",
              "Jan 1# 1#:2#:3# % %[?]: % from port ?\n", "17######## ? ? ? 0.## 0.##\n", "E0$1# 1#:2#:3#.###### ? %.cc:?] %\n"}},
    {"hashes", {"~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ %\n", "sha256:~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n",
                "~~~~~~~ %: % %\n", "index ~~~~~~~..~~~~~~~ 100644\n", "md5 ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n",
                "sha512-^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^==\n"}},
    {"uuids", {"~~~~~~~~-~~~~-4~~~-a~~~-~~~~~~~~~~~~ ", "{~~~~~~~~-~~~~-4~~~-b~~~-~~~~~~~~~~~~}\n", "########-####-4###-8###-############ "}},
    {"tables", {"?\t?\t?\t?\n", "#### #### #### #### ####\n", "### ### #### ###\n", "? ? ? ? ? ?\n", "20## ?.## ?.## ?.##\n",
                "| ### | #### | #### |\n", "?,?,?,?,?\n", "## ## ## ## ## ##\n", "$# $## $###\n"}},
    {"file names", {"%@#x.png ", "%_20##-0$-1#_?.jpg\n", "IMG_20######_1#####.jpg ", "/usr/lib/%/%.so.?.?.?\n", "C:\\%\\new\\%-?.txt ",
                    "%-?.?.?-py3-none-any.whl\n", "%@?.service ", "backup-20######-1#####.tar.gz\n", "%@#x.webp %@dark.svg\n"}},
    {"versions", {"%@~?.?.?\n", "\"%\": \"~?.?.?\",\n", "@%/%@?.?.?-%.?\n", "go: %.org/%@v?.?.?-20############-~~~~~~~~~~~~\n", "v?.?.?+%.?\n",
                  "pkg:npm/%@?.?.?\n", "ghcr.io/%/%@sha256:~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n", "10.0.##### Build #####\n"}},
    {"addresses of machines", {"1#.2##.#.1#:80## ", "fe80::~~~~:~~~~:~~~~:~~~~ ", "~~:~~:~~:~~:~~:~~ ", "git@%.com:%/%.git\n", "ssh://git@%.org/%/%.git\n",
                               "https://%.org/%/?/?id=?&t=17########\n", "1##.0.0.#/2# via 1##.0.0.#\n"}},
    {"time and place", {"20##-0$-1#T1#:2#:3#.######Z ", "1#:2#:3#.### ", "##.######, -##.######\n", "##°##'##.#\"N ##°##'##.#\"E ", "17########### ",
                        "1#/0$/20## - 2#/0$/20##\n", "+##:## UTC-0#:00 ", "Q$ 20##-20## "}},
    {"money and measures", {"1,###.## EUR ", "? x ? x ? mm\n", "$##,###,### ", "##.#% of ?\n", "? 000 000 ", "1.###.###,## ", "?e-? ± 0.###\n"}},
    {"books and goods", {"ISBN 978-3-16-#####-# ", "ISSN ####-#### ", "EAN 40##########& ", "SKU-####-#### ", "doi:10.####/%.20##.?\n", "RFC ####, section #.#.#\n",
                         "####-####-####-####-####-####\n", "§ ### Abs. # "}},
    {"styles and drawings", {"M?.# ?.#L-?.#-?.#C?.#,?.# ?.#,?.#z", "#~~~~~~ rgba(1##, 2##, 3#, 0.#) ", "margin: ?px ?px ?px ?px;\n", "matrix(0.### 0 0 0.### ? ?) ",
                             "@media (min-width: ?px) { .%-? { width: ?% } }\n"}},
    {"other alphabets", {"第?章 ２０２#年$月1#日 ", "٢٠##/١/## ", "№ ?, стр. ##–## ", "１２#，###円 ", "—?— „%“ ?–? ", "५##.## रु "}},
    {"json", {"{\"id\":?,\"%\":[?.##,?.##],\"at\":17########}\n", "{\"%\":\"%\\n?\\t%\",\"n\":-?.##e?}\n", "{\"%\":\"{\\\"%\\\":\\\"\\\\u00~~ ?\\\"}\"}\n",
              "[[?,?,?],[?,?,?]]\n", "{\"sha\":\"~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\",\"size\":?}\n"}},
    {"long numbers", {"################ ", "id=1################# ", "{\"id\":17#################}\n", "############# ", "#################### "}},
};
#define HARMLESS_KINDS (sizeof harmless_kinds / sizeof harmless_kinds[0])

/* A text of that kind: 1 to 20 items. */
static inline void harmless_text(struct harmless *h, unsigned kind, struct buf *out)
{
    const struct harmless_kind *k = &harmless_kinds[kind];
    unsigned patterns = 0;
    while (patterns < HARMLESS_PATTERNS && k->patterns[patterns])
        patterns++;
    buf_reset(out);
    for (unsigned n = 1 + harmless_draw(h, 20); n > 0; n--)
        harmless_item(h, k->patterns[harmless_draw(h, patterns)], out);
}

#endif
