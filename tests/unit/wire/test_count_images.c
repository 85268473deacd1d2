/*
 * Pictures in requests: their size from the first bytes of five formats, whole, cut and lying; and what a size counts by
 * each provider's rule, with the examples of the providers' own guides.
 */
#include "../unit.h"

#include "base/limits.h"
#include "wire/count_inner.h"

#include "counting.h"

static void append_base64(struct buf *to, const unsigned char *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16;
        if (i + 1 < len) group |= (uint32_t)bytes[i + 1] << 8;
        if (i + 2 < len) group |= bytes[i + 2];
        buf_append_char(to, digits[group >> 18]);
        buf_append_char(to, digits[group >> 12 & 63]);
        buf_append_char(to, i + 1 < len ? digits[group >> 6 & 63] : '=');
        buf_append_char(to, i + 2 < len ? digits[group & 63] : '=');
    }
}

/* "data:image/x;base64,…" */
static struct buf data_url(const void *bytes, size_t len)
{
    struct buf url;
    buf_init(&url);
    buf_append(&url, SLICE("data:image/x;base64,"));
    append_base64(&url, bytes, len);
    return url;
}

#define PNG "\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\x02\x1C\0\0\x01\x68\x08\x06\0\0\0"
#define GIF "GIF89a\x1C\x02\x68\x01\xF7\0\0"
/* an application's segment and a table come first */
#define JPEG                                                                                                           \
    "\xFF\xD8\xFF\xE0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xFF\xDB\0\x05"                                                    \
    "abc\xFF\xFF\xC2\0\x11\x08\x01\x68\x02\x1C\3\1\x22\0"
#define WEBP_LOSSY "RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9D\x01\x2A\x1C\x02\x68\x01"
#define WEBP_LOSSLESS "RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2F\x1B\xC2\x59\0\0\0\0\0\0"
#define WEBP_EXTENDED "RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x1B\x02\0\x67\x01\0"

static const struct picture_bytes {
    const char *name, *bytes;
    size_t len;
} pictures[] = {
    {"png", PNG, sizeof PNG - 1},
    {"gif", GIF, sizeof GIF - 1},
    {"jpeg", JPEG, sizeof JPEG - 1},
    {"webp lossy", WEBP_LOSSY, sizeof WEBP_LOSSY - 1},
    {"webp lossless", WEBP_LOSSLESS, sizeof WEBP_LOSSLESS - 1},
    {"webp extended", WEBP_EXTENDED, sizeof WEBP_EXTENDED - 1},
};

static void sizes_come_from_the_first_bytes(void)
{
    for (size_t i = 0; i < sizeof pictures / sizeof pictures[0]; i++) {
        uint32_t width = 0, height = 0;
        struct buf url = data_url(pictures[i].bytes, pictures[i].len);
        if (!count_picture_size(buf_slice(&url), &width, &height)) UNIT_FAIL("%s: no size", pictures[i].name);
        if (width != 540 || height != 360) UNIT_FAIL("%s: %u × %u", pictures[i].name, width, height);
        buf_clear(&url);
    }
}

/* A picture that is cut has no size, or the right one. */
static void cut_pictures_have_no_wrong_size(void)
{
    for (size_t i = 0; i < sizeof pictures / sizeof pictures[0]; i++) {
        struct buf url = data_url(pictures[i].bytes, pictures[i].len);
        for (size_t len = 0; len < buf_len(&url); len++) {
            uint32_t width = 540, height = 360;
            if (count_picture_size(slice_of(buf_ptr(&url), len), &width, &height) && (width != 540 || height != 360))
                UNIT_FAIL("%s of %zu bytes: %u × %u", pictures[i].name, len, width, height);
        }
        buf_clear(&url);
    }
}

static bool has_size(const void *bytes, size_t len)
{
    uint32_t width, height;
    struct buf url = data_url(bytes, len);
    bool is_known = count_picture_size(buf_slice(&url), &width, &height);
    buf_clear(&url);
    return is_known;
}

#define HAS_SIZE(text) has_size(text, sizeof(text) - 1)

static void lies_are_not_believed(void)
{
    EXPECT(!HAS_SIZE("\x89PNG\r\n\x1A\n\0\0\0\rIHDR\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"));
    EXPECT(!HAS_SIZE("\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\0\0\0\0\1"));
    EXPECT(!HAS_SIZE("\x89PNG\r\n\x1A\n\0\0\0\rIDAT\0\0\0\1\0\0\0\1"));
    EXPECT(!HAS_SIZE("GIF89a\0\0\0\0\0\0\0"));
    EXPECT(!HAS_SIZE("\xFF\xD8\xFF\xC0\0\x11\x08\0\0\0\0\3"));
    EXPECT(!HAS_SIZE("\xFF\xD8\xFF\xE0\0\0\xFF\xE0\0\1\xFF\xC0\0\x11\x08\1\1\1\1\3")); /* a segment shorter than its length */
    EXPECT(!HAS_SIZE("\xFF\xD8\xFF\xE0\xFF\xFF" "abc"));
    EXPECT(!HAS_SIZE("RIFF\0\0\0\0WAVEVP8X\0\0\0\0\0\0\0\0\x1B\x02\0\x67\x01\0"));
    EXPECT(!HAS_SIZE("no picture at all, only a text that is long enough for any header"));
    EXPECT(!HAS_SIZE(""));
    uint32_t width, height;
    EXPECT(!count_picture_size(SLICE("https://example.com/a.png"), &width, &height));
    EXPECT(!count_picture_size(SLICE("data:image/png;base64"), &width, &height));
    EXPECT(!count_picture_size(SLICE("data:image/png;base64,????"), &width, &height));
}

/* Behind an embedded preview as long as a segment may be, at each place in a group of base64, slashes escaped or not. */
static void a_preview_is_passed_over(void)
{
    for (size_t shift = 0; shift < 6; shift++) {
        struct buf bytes, url, escaped;
        uint32_t width = 0, height = 0;
        buf_init(&bytes);
        buf_init(&escaped);
        buf_append(&bytes, slice_of("\xFF\xD8\xFF\xE1\xFF", 5));
        buf_append_char(&bytes, (char)(0xF0 + shift));
        memset(buf_reserve(&bytes, 0xFFEE + shift), 0xFF, 0xFFEE + shift); /* "/" all of them */
        buf_grew(&bytes, 0xFFEE + shift);
        buf_append(&bytes, slice_of("\xFF\xC0\0\x11\x08\x01\x68\x02\x1C\3", 10));
        url = data_url(buf_ptr(&bytes), buf_len(&bytes));
        EXPECT(count_picture_size(buf_slice(&url), &width, &height));
        EXPECT(width == 540 && height == 360);
        for (size_t i = 0; i < buf_len(&url); i++) {
            if (i > 12 && buf_ptr(&url)[i] == '/') buf_append_char(&escaped, '\\');
            buf_append_char(&escaped, buf_ptr(&url)[i]);
        }
        width = height = 0;
        EXPECT(count_picture_size(buf_slice(&escaped), &width, &height));
        EXPECT(width == 540 && height == 360);
        buf_clear(&escaped);
        buf_clear(&url);
        buf_clear(&bytes);
    }
}

/* ---- What a size counts. */

static void tiles_as_in_the_guide(void)
{
    struct image_rules rules = {.rule = IMAGE_TILES, .low_tokens = 85, .base_tokens = 85, .unit_tokens = 170,
                                .unit_pixels = 512, .long_edge = 2048, .short_edge = 768, .unknown_tokens = 1445};
    EXPECT_INT(765, count_image_tokens(&rules, 1024, 1024, false));
    EXPECT_INT(1105, count_image_tokens(&rules, 2048, 4096, false));
    EXPECT_INT(85, count_image_tokens(&rules, 4096, 8192, true));
    EXPECT_INT(255, count_image_tokens(&rules, 1, 1, false));
    EXPECT_INT(1445, count_image_tokens(&rules, 0, 0, false));
    rules.base_tokens = 2833;
    rules.unit_tokens = 5667;
    EXPECT_INT(8500, count_image_tokens(&rules, 1, 1, false)); /* as it was billed */
}

static void patches_as_in_the_guide(void)
{
    struct image_rules rules = {.rule = IMAGE_PATCHES, .unit_pixels = 32, .units_max = 1536, .factor_milli = 1000};
    EXPECT_INT(1024, count_image_tokens(&rules, 1024, 1024, false));
    EXPECT_INT(1452, count_image_tokens(&rules, 1800, 2400, false));
    EXPECT_INT(1452, count_image_tokens(&rules, 2400, 1800, false));
    EXPECT_INT(1, count_image_tokens(&rules, 1, 1, false));
    EXPECT(count_image_tokens(&rules, 65535, 1, false) <= 1536);
    EXPECT(count_image_tokens(&rules, 65535, 65535, false) <= 1536);
    rules.factor_milli = 2460;
    EXPECT_INT(502, count_image_tokens(&rules, 540, 360, false)); /* billed 503, with a token of something else */
}

static void areas_blocks_and_fixed_ones(void)
{
    struct image_rules area = {.rule = IMAGE_AREA, .unit_pixels = 750, .long_edge = 1568, .units_max = 1600, .unknown_tokens = 1600};
    struct image_rules blocks = {.rule = IMAGE_BLOCKS, .unit_tokens = 258, .unit_pixels = 768, .short_edge = 384};
    struct image_rules fixed = {.rule = IMAGE_FIXED, .unknown_tokens = 1120};
    EXPECT_INT(54, count_image_tokens(&area, 200, 200, false));
    EXPECT_INT(1334, count_image_tokens(&area, 1000, 1000, false));
    EXPECT_INT(260, count_image_tokens(&area, 540, 360, false));
    EXPECT_INT(1600, count_image_tokens(&area, 65535, 65535, false));
    EXPECT_INT(1600, count_image_tokens(&area, 0, 0, true));
    EXPECT_INT(258, count_image_tokens(&blocks, 8, 8, false));
    EXPECT_INT(258, count_image_tokens(&blocks, 384, 384, false));
    EXPECT_INT(4 * 258, count_image_tokens(&blocks, 769, 1000, false));
    EXPECT_INT(1120, count_image_tokens(&fixed, 10, 10, false));
}

static void pictures_count_beside_the_text(void)
{
    struct count_rules rules = rules_of("o200k_base");
    struct buf body;
    buf_init(&body);
    buf_append(&body, SLICE("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,"));
    append_base64(&body, (const unsigned char *)PNG, sizeof PNG - 1);
    buf_append(&body, SLICE("\"}},{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x\",\"detail\":\"low\"}},"
                            "{\"type\":\"image_url\",\"image_url\":\"https://x\"}]}]}"));
    buf_append_char(&body, '\0');
    struct count_total t = total_of(&rules, CHAT_CHAT, buf_ptr(&body));
    EXPECT_INT(3 + 3 + 1 + (85 + 2 * 170) + 85 + 1445, t.input_tokens);
    EXPECT(t.is_estimated);
    buf_clear(&body);
}

int main(void)
{
    RUN(sizes_come_from_the_first_bytes);
    RUN(cut_pictures_have_no_wrong_size);
    RUN(lies_are_not_believed);
    RUN(a_preview_is_passed_over);
    RUN(tiles_as_in_the_guide);
    RUN(patches_as_in_the_guide);
    RUN(areas_blocks_and_fixed_ones);
    RUN(pictures_count_beside_the_text);
    return unit_close("count images");
}
