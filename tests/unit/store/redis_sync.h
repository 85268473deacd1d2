/*
 * A Redis of a test's own, and questions to it that wait for their answer, past net/redis.
 *
 *     sync_start();                                         // in a temporary folder (../redis_kit.h)
 *     EXPECT_STR("PONG", sync_text("PING", NULL));
 *     const struct redis_reply *reply = sync_call(&call);   // a script of core/store/counters/redis
 *     sync_end();                                           // and its folder goes
 *
 * A reply lives until sync_forget() or the end.
 */
#ifndef MOONGATE_TESTS_REDIS_SYNC_H
#define MOONGATE_TESTS_REDIS_SYNC_H

#include <stdarg.h>
#include <stdlib.h>

#include "../redis_kit.h"
#include "base/arena.h"
#include "base/buf.h"
#include "store/counters/script.h"

static struct redis_server sync_server;
static FILE *sync_stream;
static struct arena sync_arena;

static inline void sync_connect(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/redis.sock", sync_server.dir);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) abort();
    sync_stream = fdopen(fd, "r+");
}

static inline void sync_start(void)
{
    redis_server_start(&sync_server, NULL);
    sync_connect();
}

static inline void sync_end(void)
{
    fclose(sync_stream);
    redis_server_end(&sync_server);
    arena_clear(&sync_arena);
}

static inline void sync_forget(void)
{
    arena_clear(&sync_arena);
}

static inline void sync_read(struct redis_reply *reply)
{
    char line[4096];
    if (!fgets(line, sizeof line, sync_stream)) abort();
    struct slice rest = arena_copy(&sync_arena, slice_of(line + 1, strcspn(line + 1, "\r\n")));
    long count = strtol(rest.ptr, NULL, 10);
    *reply = (struct redis_reply){.kind = REDIS_NIL, .text = rest};
    if (line[0] == '+') reply->kind = REDIS_STATUS;
    if (line[0] == '-') reply->kind = REDIS_ERROR;
    if (line[0] == '-' && strncmp(rest.ptr, "OOM", 3) == 0) reply->error = REDIS_OOM;
    if (line[0] == ':') *reply = (struct redis_reply){.kind = REDIS_INTEGER, .integer = strtoll(rest.ptr, NULL, 10)};
    if (line[0] == '$' && count >= 0) {
        char *bytes = arena_zalloc(&sync_arena, (size_t)count + 3);
        if (fread(bytes, 1, (size_t)count + 2, sync_stream) != (size_t)count + 2) abort();
        *reply = (struct redis_reply){.kind = REDIS_TEXT, .text = slice_of(bytes, (size_t)count)};
    }
    if (line[0] == '*' && count >= 0) {
        struct redis_reply *items = arena_zalloc(&sync_arena, ((size_t)count + 1) * sizeof *items);
        for (long i = 0; i < count; i++)
            sync_read(&items[i]);
        *reply = (struct redis_reply){.kind = REDIS_ARRAY, .items = items, .count = (size_t)count};
    }
}

static inline const struct redis_reply *sync_send(const struct slice *args, size_t count)
{
    struct redis_reply *reply = arena_zalloc(&sync_arena, sizeof *reply);
    fprintf(sync_stream, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++) {
        fprintf(sync_stream, "$%zu\r\n", args[i].len);
        fwrite(args[i].ptr ? args[i].ptr : "", 1, args[i].len, sync_stream);
        fputs("\r\n", sync_stream);
    }
    fflush(sync_stream);
    sync_read(reply);
    return reply;
}

/* A command, ended by NULL. */
static inline const struct redis_reply *sync_ask(const char *word, ...)
{
    struct slice args[32];
    size_t count = 0;
    va_list rest;
    va_start(rest, word);
    for (; word && count < 32; word = va_arg(rest, const char *))
        args[count++] = slice_str(word);
    va_end(rest);
    return sync_send(args, count);
}

/* What a reply is in one line: "1 -1 (nil) text". */
static inline const char *sync_said(const struct redis_reply *reply)
{
    struct buf text;
    buf_init(&text);
    if (reply->kind == REDIS_INTEGER) buf_printf(&text, "%" PRId64, reply->integer);
    else if (reply->kind == REDIS_NIL) buf_append(&text, SLICE("(nil)"));
    else if (reply->kind != REDIS_ARRAY) buf_append(&text, reply->text);
    for (size_t i = 0; i < reply->count; i++)
        buf_printf(&text, "%s%s", i ? " " : "", sync_said(&reply->items[i]));
    const char *said = arena_copy(&sync_arena, buf_slice(&text)).ptr;
    buf_clear(&text);
    return said;
}

#define sync_text(...) sync_said(sync_ask(__VA_ARGS__))

static inline const struct redis_reply *sync_call(const struct counters_call *call)
{
    size_t count = 3 + call->key_count + call->arg_count;
    struct slice *args = arena_alloc(&sync_arena, count * sizeof *args);
    args[0] = SLICE("EVAL");
    args[1] = counters_script_source(call->script);
    args[2] = arena_printf(&sync_arena, "%zu", call->key_count);
    memcpy(args + 3, call->keys, call->key_count * sizeof *args);
    memcpy(args + 3 + call->key_count, call->args, call->arg_count * sizeof *args);
    const struct redis_reply *reply = sync_send(args, count);
    if (reply->kind == REDIS_ERROR && reply->error != REDIS_OOM)
        UNIT_FAIL("%s: %.*s", counters_script_name(call->script), SLICE_FMT(reply->text));
    return reply;
}

/* All that is in Redis, by key: its serialisation, in which two equal states are equal. */
static inline const char *sync_dump(void)
{
    struct slice script = SLICE("local all = redis.call('KEYS', '*') table.sort(all)"
                                " for i, key in ipairs(all) do local kind, list = redis.call('TYPE', key).ok, nil"
                                " if kind == 'hash' then list = redis.call('HGETALL', key)"
                                " elseif kind == 'zset' then list = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')"
                                " else list = { redis.call('GET', key) } end"
                                " local rows = {} for n = 1, #list, 2 do rows[#rows + 1] = list[n] .. '=' .. (list[n + 1] or '')"
                                " end table.sort(rows) all[i] = key .. redis.call('EXPIRETIME', key) .. table.concat(rows, ',') end"
                                " return redis.sha1hex(table.concat(all, ';'))");
    struct slice args[] = {SLICE("EVAL"), script, SLICE("0")};
    return sync_said(sync_send(args, 3));
}

#endif
