/* Texts, bytes and results of tools of Gemini's API, into the hub. Source: Gemini API reference, Part, Blob, FileData,
 * FunctionResponse. */
#include "wire/gemini/gemini_reading.h"

bool gemini_read_text(const struct reading *in, uint32_t text, struct part_list *list)
{
    struct slice raw;
    return reading_string(in, text, "text", &raw) && reading_add_text(in, list, PART_TEXT, raw, SLICE_NONE);
}

/* --- bytes --- */

/* Google takes both alphabets of base64, with and without padding; all others the first one, padded. */
static struct slice plain_base64(const struct reading *in, struct slice raw)
{
    struct slice text = reading_inside(raw);
    if (memchr(text.ptr, '\\', text.len)) text = reading_quoted(in, json_decode(raw, in->c->arena));
    bool is_plain = text.len % 4 == 0 && !memchr(text.ptr, '-', text.len) && !memchr(text.ptr, '_', text.len);
    if (is_plain) return text;
    char *to = arena_alloc(in->c->arena, text.len + 3);
    size_t len = 0;
    for (; len < text.len; len++)
        to[len] = text.ptr[len] == '-' ? '+' : text.ptr[len] == '_' ? '/' : text.ptr[len];
    while (len % 4)
        to[len++] = '=';
    return slice_of(to, len);
}

static bool is_of(struct slice media_type, struct slice kind)
{
    return media_type.len > kind.len && slice_iequal(slice_of(media_type.ptr, kind.len), kind);
}

enum { MIME_TYPE, DATA, FILE_URI, NAME, MEDIA_MEMBERS };
static const struct gemini_name media_names[MEDIA_MEMBERS] = {
    [MIME_TYPE] = {{"mimeType", 8}, {"mime_type", 9}},
    [DATA] = {{"data", 4}, {"data", 4}},
    [FILE_URI] = {{"fileUri", 7}, {"file_uri", 8}},
    [NAME] = {{"displayName", 11}, {"display_name", 12}},
};

static struct slice media_type_of(const struct reading *in, uint32_t node)
{
    return json_is(in->tape, node, JSON_STRING) ? reading_inside(json_raw(in->tape, node)) : SLICE("");
}

bool gemini_read_bytes(struct reading *in, uint32_t media, struct part_list *list)
{
    uint32_t at[MEDIA_MEMBERS];
    in->place.leaf = "inlineData";
    if (!gemini_read_members(in, media, media_names, MEDIA_MEMBERS, at)) return false;
    struct slice type = media_type_of(in, at[MIME_TYPE]);
    bool is_image = is_of(type, SLICE("image/")), is_pdf = slice_iequal(type, SLICE("application/pdf"));
    if (!is_image && !is_pdf)
        return reading_refuse(in, "this model's provider takes \"mimeType\" image/… and application/pdf alone");
    if (!json_is(in->tape, at[DATA], JSON_STRING)) return reading_refuse(in, "\"data\" must be a string");
    struct part *p = reading_add_part(in, list, is_image ? PART_IMAGE : PART_DOCUMENT);
    if (!p) return false;
    p->media_type = type;
    p->data = plain_base64(in, json_raw(in->tape, at[DATA]));
    struct slice name;
    if (!reading_string(in, at[NAME], "displayName", &name)) return false;
    if (is_pdf) p->name = name;
    in->place.leaf = NULL;
    return true;
}

/* What Google keeps was refused before (gemini_request.c). */
bool gemini_read_file(struct reading *in, uint32_t media, struct part_list *list)
{
    uint32_t at[MEDIA_MEMBERS];
    in->place.leaf = "fileData";
    if (!gemini_read_members(in, media, media_names, MEDIA_MEMBERS, at)) return false;
    if (!json_is(in->tape, at[FILE_URI], JSON_STRING)) return reading_refuse(in, "\"fileUri\" must be a string");
    if (!is_of(media_type_of(in, at[MIME_TYPE]), SLICE("image/")))
        return reading_refuse(in, "this model's provider takes addresses of pictures alone (\"mimeType\" image/…): "
                                  "send its bytes as \"inlineData\"");
    struct part *p = reading_add_part(in, list, PART_IMAGE);
    if (!p) return false;
    p->url = json_raw(in->tape, at[FILE_URI]);
    in->place.leaf = NULL;
    return true;
}

/* --- what a tool gave back --- */

/* A text as it stands; all else as its JSON. */
static struct slice text_of(const struct reading *in, uint32_t node)
{
    if (json_is(in->tape, node, JSON_STRING)) return json_raw(in->tape, node);
    return arena_printf(in->c->arena, "\"%.*s\"", SLICE_FMT(reading_quoted(in, json_raw(in->tape, node))));
}

/* "output" is what it gave, "error" why it failed; anything else is all of it that. Google's own libraries write
 * "result" for the first. */
static bool read_object(const struct reading *in, uint32_t response, struct part *result)
{
    uint32_t output = json_get(in->tape, response, SLICE("output"));
    uint32_t error = json_get(in->tape, response, SLICE("error"));
    if (output == JSON_NONE) output = json_get(in->tape, response, SLICE("result"));
    bool is_single = json_count(in->tape, response) == 1;
    result->is_error = error != JSON_NONE && !json_is(in->tape, error, JSON_NULL) && output == JSON_NONE;
    uint32_t told = is_single && output != JSON_NONE ? output : is_single && error != JSON_NONE ? error : response;
    return reading_add_text(in, &result->parts, PART_TEXT, text_of(in, told), SLICE_NONE);
}

static bool read_media(struct reading *in, uint32_t part, struct part *result)
{
    static const struct gemini_name names[] = {{{"inlineData", 10}, {"inline_data", 11}},
                                               {{"fileData", 8}, {"file_data", 9}}};
    uint32_t at[2];
    if (!gemini_read_members(in, part, names, 2, at)) return false;
    if (at[0] != JSON_NONE) return gemini_read_bytes(in, at[0], &result->parts);
    if (at[1] != JSON_NONE) return gemini_read_file(in, at[1], &result->parts);
    return reading_counts(in);
}

bool gemini_read_response(struct reading *in, uint32_t response, uint32_t parts, struct part *result)
{
    in->place.leaf = "functionResponse";
    if (response != JSON_NONE && !json_is(in->tape, response, JSON_OBJECT))
        return reading_refuse(in, "\"response\" must be an object");
    if (response != JSON_NONE && !read_object(in, response, result)) return false;
    if (parts != JSON_NONE && !json_is(in->tape, parts, JSON_ARRAY))
        return reading_refuse(in, "\"parts\" must be an array");
    for (uint32_t n = parts == JSON_NONE ? JSON_NONE : json_first(in->tape, parts); n != JSON_NONE;
         n = json_next(in->tape, n)) {
        in->place.leaf = "functionResponse";
        if (!read_media(in, n, result)) return false;
    }
    in->place.leaf = NULL;
    return true;
}
