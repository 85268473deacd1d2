/* Pictures as tokens: sizes from the headers of each format, headers that are cut or lie, and each rule by hand. */
#include "count_apart.h"

/* ---- Making headers. */

struct bytes {
    unsigned char data[400000];
    size_t len;
};

static void put(struct bytes *b, const void *data, size_t len)
{
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

static void put_number(struct bytes *b, uint32_t value, size_t len, bool is_big)
{
    for (size_t i = 0; i < len; i++)
        b->data[b->len++] = (unsigned char)(value >> 8 * (is_big ? len - 1 - i : i));
}

static void put_zeros(struct bytes *b, size_t len)
{
    memset(b->data + b->len, 0, len);
    b->len += len;
}

static void make_png(struct bytes *b, uint32_t width, uint32_t height)
{
    b->len = 0;
    put(b, "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR", 16);
    put_number(b, width, 4, true);
    put_number(b, height, 4, true);
    put(b, "\x08\x02\0\0\0\x12\x34\x56\x78", 9);
}

static void make_gif(struct bytes *b, uint32_t width, uint32_t height)
{
    b->len = 0;
    put(b, "GIF89a", 6);
    put_number(b, width, 2, false);
    put_number(b, height, 2, false);
    put_zeros(b, 10);
}

/* With segments of so many bytes before the frame header, which is the marker's. */
static void make_jpeg(struct bytes *b, uint32_t width, uint32_t height, uint32_t segment_bytes, unsigned segments, unsigned char marker)
{
    b->len = 0;
    put(b, "\xFF\xD8", 2);
    for (unsigned i = 0; i < segments; i++) {
        put(b, "\xFF", 1);
        put_number(b, 0xE0 + i, 1, true);
        put_number(b, segment_bytes, 2, true);
        for (uint32_t at = 2; at < segment_bytes; at++)
            put(b, at % 2 ? "\xC0" : "\xFF", 1); /* inside, a frame header's marker is none */
    }
    put(b, "\xFF\xC4\0\x04\x01\x02\xFF\xFF\xFF", 9); /* a table, then fill bytes */
    put_number(b, marker, 1, true);
    put(b, "\0\x11\x08", 3);
    put_number(b, height, 2, true);
    put_number(b, width, 2, true);
    put_zeros(b, 10);
}

static void make_webp(struct bytes *b, const char *kind, uint32_t width, uint32_t height)
{
    b->len = 0;
    put(b, "RIFF\x10\0\0\0WEBP", 12);
    put(b, kind, 4);
    put(b, "\x0A\0\0\0", 4);
    if (strcmp(kind, "VP8X") == 0) {
        put_zeros(b, 4);
        put_number(b, width - 1, 3, false);
        put_number(b, height - 1, 3, false);
    } else if (strcmp(kind, "VP8L") == 0) {
        put(b, "\x2F", 1);
        put_number(b, (width - 1) | (height - 1) << 14, 4, false);
    } else {
        put(b, "\0\0\0\x9D\x01\x2A", 6);
        put_number(b, width | 1u << 14, 2, false); /* the upper two bits are its scale */
        put_number(b, height | 2u << 14, 2, false);
    }
    put_zeros(b, 10);
}

enum alphabet { USUAL, URL_SAFE, ESCAPED };

static void append_base64(struct buf *to, const struct bytes *b, enum alphabet alphabet)
{
    static const char usual[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t at = 0; at < b->len; at += 3) {
        uint32_t group = 0;
        for (size_t i = 0; i < 3; i++)
            group = group << 8 | (at + i < b->len ? b->data[at + i] : 0);
        for (size_t i = 0; i < 4; i++) {
            char c = at + i > b->len ? '=' : usual[group >> (18 - 6 * i) & 63];
            if (c == '/' && alphabet == ESCAPED) buf_append_char(to, '\\');
            buf_append_char(to, c == '+' && alphabet == URL_SAFE ? '-' : c == '/' && alphabet == URL_SAFE ? '_' : c);
        }
    }
}

static struct buf url_of(const struct bytes *b, enum alphabet alphabet)
{
    struct buf url;
    buf_init(&url);
    buf_append(&url, alphabet == ESCAPED ? SLICE("data:image\\/x;base64,") : SLICE("data:image/x;base64,"));
    append_base64(&url, b, alphabet);
    return url;
}

static void expect_size(const struct bytes *b, uint32_t width, uint32_t height)
{
    for (int alphabet = USUAL; alphabet <= ESCAPED; alphabet++) {
        struct buf url = url_of(b, (enum alphabet)alphabet);
        uint32_t got_width = 0, got_height = 0;
        EXPECT_INT(width > 0, count_picture_size(buf_slice(&url), &got_width, &got_height));
        if (width) EXPECT_INT(width, got_width);
        if (width) EXPECT_INT(height, got_height);
        buf_clear(&url);
    }
}

/* However much of it is there: the size or nothing, and all that is needed suffices. */
static void expect_prefixes(struct bytes *b, uint32_t width, uint32_t height, size_t needed)
{
    size_t whole = b->len;
    for (b->len = 0; b->len <= whole; b->len++)
        expect_size(b, b->len >= needed ? width : 0, height);
    b->len = whole;
}

static struct bytes bytes;

static void each_format_says_its_size(void)
{
    static const uint32_t sizes[][2] = {{1, 1}, {640, 480}, {1023, 16383}, {16383, 255}};
    static const char *const kinds[] = {"VP8X", "VP8L", "VP8 "};
    for (size_t i = 0; i < 4; i++) {
        uint32_t width = sizes[i][0], height = sizes[i][1];
        make_png(&bytes, width, height);
        expect_size(&bytes, width, height);
        make_gif(&bytes, width, height);
        expect_size(&bytes, width, height);
        make_jpeg(&bytes, width, height, 16, 1, 0xC0);
        expect_size(&bytes, width, height);
        for (size_t kind = 0; kind < 3; kind++) {
            make_webp(&bytes, kinds[kind], width, height);
            expect_size(&bytes, width, height);
        }
    }
}

static void a_jpeg_says_it_behind_what_stands_before(void)
{
    static const unsigned char frames[] = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC9, 0xCF}, others[] = {0xC4, 0xC8, 0xCC, 0xD9, 0xDA};
    for (size_t i = 0; i < sizeof frames; i++) {
        make_jpeg(&bytes, 1000 + (uint32_t)i, 500, 2000, 3, frames[i]);
        expect_size(&bytes, 1000 + (uint32_t)i, 500);
    }
    for (size_t i = 0; i < sizeof others; i++) {
        make_jpeg(&bytes, 1000, 500, 100, 1, others[i]);
        expect_size(&bytes, 0, 0);
    }
    make_jpeg(&bytes, 321, 123, 65535, 2, 0xC2); /* a profile and a thumbnail */
    expect_size(&bytes, 321, 123);
    make_jpeg(&bytes, 321, 123, 2, 5, 0xC0);
    expect_size(&bytes, 321, 123);
    make_jpeg(&bytes, 321, 123, 0, 1, 0xC0); /* shorter than a length can be */
    expect_size(&bytes, 0, 0);
}

static void a_cut_header_says_nothing(void)
{
    make_png(&bytes, 640, 480);
    expect_prefixes(&bytes, 640, 480, 24);
    make_gif(&bytes, 640, 480);
    expect_prefixes(&bytes, 640, 480, 10);
    make_jpeg(&bytes, 640, 480, 40, 2, 0xC0);
    expect_prefixes(&bytes, 640, 480, bytes.len - 10);
    make_webp(&bytes, "VP8X", 640, 480);
    expect_prefixes(&bytes, 640, 480, 30);
}

static void a_header_that_lies_is_not_believed(void)
{
    static const uint32_t lies[][2] = {{0, 0}, {0, 480}, {640, 0}, {1u << 31, 1u << 31}, {UINT32_MAX, 1}, {LIMIT_COUNT_IMAGE_PIXELS + 1, 1}};
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        make_png(&bytes, lies[i][0], lies[i][1]);
        expect_size(&bytes, 0, 0);
    }
    make_png(&bytes, LIMIT_COUNT_IMAGE_PIXELS, LIMIT_COUNT_IMAGE_PIXELS);
    expect_size(&bytes, LIMIT_COUNT_IMAGE_PIXELS, LIMIT_COUNT_IMAGE_PIXELS);
    make_gif(&bytes, 0, 0);
    expect_size(&bytes, 0, 0);
    make_jpeg(&bytes, 640, 0, 16, 1, 0xC0); /* its height comes later, with DNL */
    expect_size(&bytes, 0, 0);
    make_webp(&bytes, "VP8Y", 640, 480);
    expect_size(&bytes, 0, 0);
    make_png(&bytes, 640, 480);
    bytes.data[12] = 'J';
    expect_size(&bytes, 0, 0);
}

/* The frame header stands behind more than is read. */
static void no_more_is_read_than_allowed(void)
{
    unsigned most = LIMIT_COUNT_IMAGE_BYTES / 65537;
    make_jpeg(&bytes, 640, 480, 65535, most, 0xC0);
    expect_size(&bytes, 640, 480);
    make_jpeg(&bytes, 640, 480, 65535, most + 1, 0xC0);
    expect_size(&bytes, 0, 0);
}

static void what_is_no_picture_in_the_request_says_nothing(void)
{
    static const char *const urls[] = {"", "data:", "data:,", "data:image/png;base64,", "data:image/png;base64",
                                       "http://example.com/a.png", "https://example.com/data:image/png;base64,iVBORw0KGgo=",
                                       "data:image/png;base64,====", "data:image/png;base64,\\", "data:image/png;base64, iVBORw0KGgo",
                                       "data:image/svg+xml;utf8,<svg width='1'/>", "data:image/png;base64,iVBOR\\nw0KGgoAAAANSUhEUgAAAoAAAAHg"};
    uint32_t width, height;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        if (count_picture_size(slice_str(urls[i]), &width, &height)) UNIT_FAIL("%s has a size", urls[i]);
    }
    EXPECT(count_picture_size(SLICE("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAoAAAAHgCAIAAAC6s0uz"), &width, &height));
    EXPECT_INT(640, width);
    EXPECT_INT(480, height);
    /* "H" as an escape: a JSON reader sees the picture; the letters as they stand would make it 2,996 pixels high */
    EXPECT(!count_picture_size(SLICE("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAoAAAA\\u0048gCAIAAAC6s0uz"), &width, &height));
}

/* ---- In requests. */

static const struct image_rules tiles = {.rule = IMAGE_TILES, .low_tokens = 85, .base_tokens = 85, .unit_tokens = 170, .unit_pixels = 512,
                                         .long_edge = 2048, .short_edge = 768, .unknown_tokens = 1445};

static void expect_request(uint64_t want, const char *image, const char *after)
{
    struct count_rules rules = apart(0);
    struct buf url, body;
    struct counting c;
    rules.image = tiles;
    make_png(&bytes, 1024, 1024);
    url = url_of(&bytes, USUAL);
    buf_init(&body);
    buf_append(&body, SLICE("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":"));
    buf_append(&body, slice_str(image));
    if (*after) buf_append(&body, buf_slice(&url));
    buf_append(&body, slice_str(after));
    buf_append(&body, SLICE("}]}]}"));
    counting_open(&c, buf_slice(&body), CHAT_CHAT, 1, NULL);
    count_keep_messages(c.count);
    counting_run(&c, WHOLE);
    EXPECT_INT(101000001 + want, count_total(c.count, &rules).input_tokens);
    EXPECT_INT(1000001 + want, count_message(c.count, &rules, 0).tokens);
    EXPECT_INT(want, count_shares(c.count, &rules).picture_tokens);
    EXPECT(count_total(c.count, &rules).is_estimated);
    counting_close(&c);
    buf_clear(&url);
    buf_clear(&body);
}

static void pictures_of_a_request_are_counted(void)
{
    expect_request(765, "{\"url\":\"", "\"}");
    expect_request(765, "\"", "\"");
    expect_request(765, "{\"detail\":\"high\",\"url\":\"", "\"}");
    expect_request(765, "{\"detail\":\"auto\",\"url\":\"", "\"}");
    expect_request(85, "{\"detail\":\"low\",\"url\":\"", "\"}");
    expect_request(85, "{\"url\":\"", "\",\"detail\":\"low\"}");
    expect_request(85, "{\"url\":\"https://example.com/a.png\",\"detail\":\"low\"}", "");
    expect_request(1445, "{\"url\":\"https://example.com/a.png\"}", "");
    expect_request(1445, "{\"url\":7}", "");
    expect_request(1445, "{}", "");
    expect_request(1445, "[]", "");
}

/* ---- Rules. */

static void tiles_of_512_pixels(void)
{
    static const struct image_rules mini = {.rule = IMAGE_TILES, .low_tokens = 2833, .base_tokens = 2833, .unit_tokens = 5667,
                                            .unit_pixels = 512, .long_edge = 2048, .short_edge = 768, .unknown_tokens = 48169};
    EXPECT_INT(765, count_image_tokens(&tiles, 1024, 1024, false));  /* 768 × 768: 4 tiles */
    EXPECT_INT(1105, count_image_tokens(&tiles, 2048, 4096, false)); /* 1024 × 2048, 768 × 1536: 6 */
    EXPECT_INT(1105, count_image_tokens(&tiles, 4096, 2048, false));
    EXPECT_INT(85, count_image_tokens(&tiles, 4096, 8192, true));
    EXPECT_INT(255, count_image_tokens(&tiles, 1, 1, false)); /* never made larger */
    EXPECT_INT(255, count_image_tokens(&tiles, 512, 512, false));
    EXPECT_INT(425, count_image_tokens(&tiles, 513, 512, false));
    EXPECT_INT(85 + 170 * 4, count_image_tokens(&tiles, 65535, 1, false)); /* 2048 × 1 */
    EXPECT_INT(1445, count_image_tokens(&tiles, 0, 0, false));
    EXPECT_INT(2833, count_image_tokens(&mini, 1024, 1024, true));
    EXPECT_INT(25501, count_image_tokens(&mini, 1024, 1024, false));
}

static void patches_of_32_pixels(void)
{
    struct image_rules patches = {.rule = IMAGE_PATCHES, .unit_pixels = 32, .units_max = 1536, .factor_milli = 1000, .unknown_tokens = 1536};
    EXPECT_INT(1024, count_image_tokens(&patches, 1024, 1024, false));
    EXPECT_INT(1, count_image_tokens(&patches, 1, 1, false));
    EXPECT_INT(2, count_image_tokens(&patches, 33, 32, false));
    EXPECT_INT(1452, count_image_tokens(&patches, 1800, 2400, false)); /* made smaller: 33 × 44 */
    EXPECT_INT(1521, count_image_tokens(&patches, 65535, 65535, false)); /* 39 × 39 */
    EXPECT_INT(1024, count_image_tokens(&patches, 1024, 1024, true)); /* there is no low detail */
    patches.factor_milli = 1620;
    EXPECT_INT(1659, count_image_tokens(&patches, 1024, 1024, false)); /* 1658.88 */
    patches.factor_milli = 2460;
    EXPECT_INT(2520, count_image_tokens(&patches, 1024, 1024, false)); /* 2519.04 */
}

static void an_area_of_750_pixels(void)
{
    static const struct image_rules area = {.rule = IMAGE_AREA, .unit_pixels = 750, .long_edge = 1568, .units_max = 1600, .unknown_tokens = 1600};
    EXPECT_INT(1337, count_image_tokens(&area, 1001, 1001, false)); /* 1336.001 */
    EXPECT_INT(1334, count_image_tokens(&area, 1000, 1000, false)); /* 1333.3 */
    EXPECT_INT(54, count_image_tokens(&area, 200, 200, false));
    EXPECT_INT(1600, count_image_tokens(&area, 4000, 4000, false));
    EXPECT_INT(820, count_image_tokens(&area, 3136, 784, false)); /* 1568 × 392: 819.5 */
    EXPECT_INT(1600, count_image_tokens(&area, 65535, 65535, false));
    EXPECT_INT(1600, count_image_tokens(&area, 0, 1001, false));
}

static void blocks_of_768_pixels(void)
{
    struct image_rules blocks = {.rule = IMAGE_BLOCKS, .unit_tokens = 258, .unit_pixels = 768, .short_edge = 384, .unknown_tokens = 4128};
    EXPECT_INT(258, count_image_tokens(&blocks, 384, 384, false));
    EXPECT_INT(258, count_image_tokens(&blocks, 385, 1, false));
    EXPECT_INT(516, count_image_tokens(&blocks, 769, 384, false));
    EXPECT_INT(1548, count_image_tokens(&blocks, 1920, 1080, false)); /* 3 × 2 */
    EXPECT_INT(258u * 86 * 86, count_image_tokens(&blocks, 65535, 65535, false));
    blocks.units_max = 4;
    EXPECT_INT(1032, count_image_tokens(&blocks, 65535, 65535, false));
}

static void a_fixed_number(void)
{
    struct image_rules fixed = {.rule = IMAGE_FIXED, .unknown_tokens = 1600};
    EXPECT_INT(1600, count_image_tokens(&fixed, 1, 1, false));
    EXPECT_INT(1600, count_image_tokens(&fixed, 0, 0, true));
    fixed.unit_pixels = 1;
    EXPECT_INT(1600, count_image_tokens(&fixed, 1, 1, true));
}

int main(void)
{
    RUN(each_format_says_its_size);
    RUN(a_jpeg_says_it_behind_what_stands_before);
    RUN(a_cut_header_says_nothing);
    RUN(a_header_that_lies_is_not_believed);
    RUN(no_more_is_read_than_allowed);
    RUN(what_is_no_picture_in_the_request_says_nothing);
    RUN(pictures_of_a_request_are_counted);
    RUN(tiles_of_512_pixels);
    RUN(patches_of_32_pixels);
    RUN(an_area_of_750_pixels);
    RUN(blocks_of_768_pixels);
    RUN(a_fixed_number);
    return unit_close("count_pictures");
}
