#include "entries.h"

#include <openssl/evp.h>

#include "base/mem.h"

static json_t *text_of(struct slice s)
{
    json_t *text = json_stringn(s.len ? s.ptr : "", s.len);
    return text ? text : json_string("(not UTF-8)");
}

static json_t *headers_of(const struct request *request)
{
    json_t *headers = json_array();
    for (size_t i = 0; i < request->header_count; i++) {
        json_array_append_new(
            headers, json_pack("[o, o]", text_of(request->headers[i].name), text_of(request->headers[i].value)));
    }
    return headers;
}

static json_t *digest_of(struct slice body)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE + 1];
    unsigned len = 0;
    EVP_Digest(body.len ? body.ptr : "", body.len, digest, &len, EVP_sha256(), NULL);
    for (unsigned i = 0; i < len; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return json_string(text);
}

static void set_body(json_t *entry, struct slice body)
{
    json_t *text = json_stringn(body.len ? body.ptr : "", body.len);
    if (text) {
        json_object_set_new(entry, "body", text);
        return;
    }
    char *coded = mem_alloc(body.len * 4 / 3 + 5);
    EVP_EncodeBlock((unsigned char *)coded, (const unsigned char *)body.ptr, (int)body.len);
    json_object_set_new(entry, "body_base64", json_string(coded));
    mem_free(coded);
}

json_t *entry_open(uint64_t conn)
{
    return json_pack("{s:s, s:I}", "event", "open", "conn", (json_int_t)conn);
}

json_t *entry_request(uint64_t conn, uint64_t serial, const struct request *request, uint64_t body_bytes_max)
{
    struct slice body = buf_slice(&request->body);
    json_t *entry =
        json_pack("{s:s, s:I, s:I, s:o, s:o, s:o, s:I, s:o}", "event", "request", "conn", (json_int_t)conn, "request",
                  (json_int_t)serial, "method", text_of(request->method), "path", text_of(request->target), "headers",
                  headers_of(request), "body_bytes", (json_int_t)body.len, "sha256", digest_of(body));
    if (body.len <= body_bytes_max) set_body(entry, body);
    return entry;
}

json_t *entry_bad(uint64_t conn, uint64_t bytes_in)
{
    return json_pack("{s:s, s:I, s:I}", "event", "bad_request", "conn", (json_int_t)conn, "bytes_in",
                     (json_int_t)bytes_in);
}

json_t *entry_end(uint64_t conn, uint64_t serial, const struct reply *reply, const char *how, uint64_t bytes_out)
{
    struct reply_progress p = reply_progress(reply);
    return json_pack("{s:s, s:I, s:I, s:s, s:i, s:s, s:I, s:I, s:I, s:I}", "event", "end", "conn", (json_int_t)conn,
                     "request", (json_int_t)serial, "how", how, "status", p.status, "phase", p.phase, "events",
                     (json_int_t)p.events, "tokens", (json_int_t)p.tokens, "body_bytes", (json_int_t)p.body_bytes,
                     "conn_bytes_out", (json_int_t)bytes_out);
}

json_t *entry_close(uint64_t conn, uint64_t bytes_in, uint64_t bytes_out, bool is_partial)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:b}", "event", "close", "conn", (json_int_t)conn, "bytes_in",
                     (json_int_t)bytes_in, "bytes_out", (json_int_t)bytes_out, "partial_request", (int)is_partial);
}

json_t *entry_state(uint64_t conn, uint64_t serial, const struct reply *reply, uint64_t bytes_in)
{
    if (!reply) {
        return json_pack("{s:I, s:s, s:I}", "conn", (json_int_t)conn, "phase", "reading", "bytes_in",
                         (json_int_t)bytes_in);
    }
    struct reply_progress p = reply_progress(reply);
    return json_pack("{s:I, s:I, s:s, s:i, s:I, s:I, s:I}", "conn", (json_int_t)conn, "request", (json_int_t)serial,
                     "phase", p.phase, "status", p.status, "events", (json_int_t)p.events, "tokens",
                     (json_int_t)p.tokens, "body_bytes", (json_int_t)p.body_bytes);
}
