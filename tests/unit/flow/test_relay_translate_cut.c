/*
 * Recorded streams (../shared/recordings, or where MOONGATE_RECORDINGS says) for clients of the other dialect, cut off
 * at every byte: what was heard is a beginning of the whole, and its end is an error, never an end marker that the
 * provider had not written.
 */
#include "../files.h"

#include "relay_translating.h"

#define STREAMS 50 /* the shortest: each is relayed once a byte, for each kind of client */

struct stream {
    char name[200];
    const struct dialect *provider;
    long long bytes;
};

static struct stream streams[400];
static size_t stream_count;
static const char *folder;

static int by_length(const void *a, const void *b)
{
    const struct stream *left = a, *right = b;
    return left->bytes < right->bytes ? -1 : left->bytes > right->bytes;
}

/* Whole text, calls and thoughts of an uncut stream begin with those of a cut one. */
static void expect_beginning(const struct hearing *cut, const struct hearing *whole)
{
    EXPECT(slice_starts(buf_slice(&whole->text), buf_slice(&cut->text)));
    EXPECT(slice_starts(buf_slice(&whole->reasoning), buf_slice(&cut->reasoning)));
    for (int i = 0; i < cut->call_count; i++)
        EXPECT(slice_starts(buf_slice(&whole->asked[i]), buf_slice(&cut->asked[i])));
}

static bool has_marker(const struct kit *k, struct slice bytes)
{
    const char *marker = k->parts.provider == &dialect_openai ? "[DONE]" : "\"message_stop\"";
    return memmem(bytes.ptr, bytes.len, marker, strlen(marker)) != NULL;
}

/* Without its marker a stream is whole when its framing and its finish reason say so. */
static void expect_cut_end(const struct kit *k, const struct hearing *h, struct slice bytes, bool breaks)
{
    bool may_end = has_marker(k, bytes) || (!breaks && !relay_report(k->relay).is_cut);
    EXPECT(may_end || !h->has_ended);
    if (k->how == RELAY_SENT) EXPECT(h->has_ended != h->has_error);
    if (k->how == RELAY_UNSENT) EXPECT_INT(0, buf_len(&k->out));
}

enum client { CLIENT_OTHER, CLIENT_GEMINI, CLIENT_GEMINI_LIST, CLIENTS };

static void relay_cut_at(struct kit *k, const struct dialect *provider, enum client client, struct slice bytes,
                         bool breaks)
{
    struct fault why = {.code = FAULT_UPSTREAM_CLOSED};
    if (client == CLIENT_OTHER)
        open_from(k, provider, TYPE_EVENTS);
    else
        open_for_gemini(k, provider, TYPE_EVENTS, client == CLIENT_GEMINI_LIST);
    k->parts.vocabulary = NULL;
    kit_feed(k, bytes, 0);
    kit_finish(k, breaks ? &why : NULL);
}

static void check_stream(const struct stream *s, enum client client)
{
    struct kit whole, k;
    struct buf bytes;
    if (!read_file(folder, s->name, &bytes)) return;
    relay_cut_at(&whole, s->provider, client, buf_slice(&bytes), false);
    struct hearing all = hear(&whole);
    for (size_t at = 1; at < buf_len(&bytes) && !unit_case_failures; at++) {
        relay_cut_at(&k, s->provider, client, slice_of(buf_ptr(&bytes), at), at & 1);
        struct hearing h = hear(&k);
        expect_beginning(&h, &all);
        expect_cut_end(&k, &h, slice_of(buf_ptr(&bytes), at), at & 1);
        hearing_clear(&h);
        close_kit(&k);
        if (unit_case_failures) fprintf(stderr, "%s, for client %d, cut at %zu\n", s->name, (int)client, at);
    }
    hearing_clear(&all);
    close_kit(&whole);
    buf_clear(&bytes);
}

static void streams_cut_at_every_byte_end_in_an_error(void)
{
    qsort(streams, stream_count, sizeof *streams, by_length);
    EXPECT(stream_count >= STREAMS);
    for (size_t i = 0; i < stream_count && i < STREAMS && !unit_case_failures; i++)
        for (int client = 0; client < CLIENTS; client++)
            check_stream(&streams[i], (enum client)client);
}

static void find_streams(json_t *list)
{
    for (size_t i = 0; i < json_array_size(list) && stream_count < sizeof streams / sizeof *streams; i++) {
        json_t *entry = json_array_get(list, i);
        const char *api = hearing_text(entry, "api");
        bool is_openai = strcmp(api, "openai.chat") == 0;
        if (!ORACLE_IS(json_object_get(entry, "stream"), TRUE)) continue;
        if (!is_openai && strcmp(api, "anthropic.messages") != 0) continue;
        struct stream *s = &streams[stream_count++];
        snprintf(s->name, sizeof s->name, "%s", hearing_text(entry, "response_file"));
        s->provider = is_openai ? &dialect_openai : &dialect_anthropic;
        s->bytes = hearing_number(entry, "bytes");
    }
}

int main(void)
{
    struct buf text;
    folder = getenv("MOONGATE_RECORDINGS");
    if (!folder) folder = "../shared/recordings";
    if (read_file(folder, "manifest.json", &text)) {
        json_t *manifest = json_loadb(buf_ptr(&text), buf_len(&text), 0, NULL);
        find_streams(json_object_get(manifest, "recordings"));
        json_decref(manifest);
        buf_clear(&text);
        RUN(streams_cut_at_every_byte_end_in_an_error);
        loop_free(kit_loop);
    } else {
        printf("cut recordings: skipped, there are none in %s (set MOONGATE_RECORDINGS)\n", folder);
    }
    return unit_close("relay_translate_cut");
}
