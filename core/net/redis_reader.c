#include <string.h>

#include <hiredis/read.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/mem.h"
#include "net/redis_inner.h"

#define LINE_BYTES (64u * KIB) /* of a status, an error, a number: the library looks through it again at each read */
#define LENGTH_BYTES 32u       /* of the line before a text */

struct redis_reader {
    redisReader *parser;
    struct arena arena; /* the reply */
    size_t items;
    bool is_given; /* the reply was handed out: its memory is the next one's */
};

/* ---- What the library makes of bytes. NULL: no memory, that is for us: a bound is passed. */

static const struct {
    struct slice prefix;
    enum redis_error error;
} errors[] = {
    {SLICE("NOSCRIPT"), REDIS_NOSCRIPT},       {SLICE("READONLY"), REDIS_READONLY},
    {SLICE("LOADING"), REDIS_LOADING},         {SLICE("MASTERDOWN"), REDIS_MASTERDOWN},
    {SLICE("CLUSTERDOWN"), REDIS_CLUSTERDOWN}, {SLICE("NOREPLICAS"), REDIS_NOREPLICAS},
    {SLICE("OOM"), REDIS_OOM},                 {SLICE("MOVED"), REDIS_MOVED},
    {SLICE("ASK"), REDIS_MOVED},               {SLICE("CROSSSLOT"), REDIS_MOVED},
    {SLICE("NOAUTH"), REDIS_NOAUTH},           {SLICE("WRONGPASS"), REDIS_WRONGPASS},
    {SLICE("NOPERM"), REDIS_NOPERM},           {SLICE("BUSY"), REDIS_BUSY},
};

static enum redis_error error_of(struct slice text)
{
    struct slice rest, word = slice_split(text, ' ', &rest);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (slice_equal(word, errors[i].prefix)) return errors[i].error;
    }
    return REDIS_FAILED;
}

/* The place of what is being read: in its array, or the whole. */
static struct redis_reply *place_of(const redisReadTask *task)
{
    struct redis_reader *rd = task->privdata;
    if (!task->parent) return arena_zalloc(&rd->arena, sizeof(struct redis_reply));
    const struct redis_reply *array = task->parent->obj;
    return (struct redis_reply *)(uintptr_t)&array->items[task->idx];
}

static void *create_string(const redisReadTask *task, char *bytes, size_t len)
{
    struct redis_reader *rd = task->privdata;
    struct redis_reply *reply = place_of(task);
    reply->text = arena_copy(&rd->arena, slice_of(bytes, len));
    reply->kind = REDIS_TEXT;
    if (task->type == REDIS_REPLY_STATUS) reply->kind = REDIS_STATUS;
    if (task->type == REDIS_REPLY_ERROR) {
        reply->kind = REDIS_ERROR;
        reply->error = error_of(reply->text);
    }
    return reply;
}

static void *create_array(const redisReadTask *task, int elements)
{
    struct redis_reader *rd = task->privdata;
    if (elements < 0 || (size_t)elements > LIMIT_REDIS_REPLY_ITEMS - rd->items) return NULL;
    rd->items += (size_t)elements;
    struct redis_reply *reply = place_of(task);
    reply->kind = REDIS_ARRAY;
    reply->count = (size_t)elements;
    reply->items = arena_zalloc(&rd->arena, reply->count * sizeof *reply->items);
    return reply;
}

static void *create_integer(const redisReadTask *task, long long value)
{
    struct redis_reply *reply = place_of(task);
    reply->kind = REDIS_INTEGER;
    reply->integer = value;
    return reply;
}

static void *create_nil(const redisReadTask *task)
{
    struct redis_reply *reply = place_of(task);
    reply->kind = REDIS_NIL;
    return reply;
}

/* All of a reply goes with its arena. */
static void free_nothing(void *reply)
{
    (void)reply;
}

static redisReplyObjectFunctions makers = {create_string, create_array, create_integer, create_nil, free_nothing};

/* ---- The reader. */

struct redis_reader *redis_reader_new(void)
{
    struct redis_reader *rd = mem_zalloc(1, sizeof *rd);
    rd->parser = redisReaderCreateWithFunctions(&makers);
    check(rd->parser);
    rd->parser->privdata = rd;
    arena_init(&rd->arena);
    return rd;
}

void redis_reader_free(struct redis_reader *rd)
{
    if (!rd) return;
    redisReaderFree(rd->parser);
    arena_clear(&rd->arena);
    mem_free(rd);
}

void redis_reader_feed(struct redis_reader *rd, struct slice bytes)
{
    check(redisReaderFeed(rd->parser, bytes.ptr, bytes.len) == REDIS_OK);
}

/* What waits for its end is of a kind that has one sooner. */
static bool is_endless(const redisReader *parser)
{
    size_t len = parser->len - parser->pos;
    if (parser->ridx < 0 || len < LENGTH_BYTES) return false;
    if (parser->rstack[parser->ridx].type != REDIS_REPLY_STRING) return len > LINE_BYTES;
    return !memchr(parser->buf + parser->pos, '\r', LENGTH_BYTES);
}

static enum redis_read refuse(struct fault *why, const char *what)
{
    fault_set(why, FAULT_INTERNAL, "%s", what);
    return REDIS_READ_BAD;
}

enum redis_read redis_reader_next(struct redis_reader *rd, const struct redis_reply **reply, struct fault *why)
{
    void *made = NULL;
    if (rd->is_given) {
        arena_clear(&rd->arena);
        rd->items = 0;
    }
    rd->is_given = false;
    if (redisReaderGetReply(rd->parser, &made) != REDIS_OK) {
        if (rd->parser->err == REDIS_ERR_OOM) return refuse(why, "a reply of too many items");
        return refuse(why, "what it says is not Redis's protocol");
    }
    rd->is_given = made != NULL;
    *reply = made;
    if (made) return REDIS_READ_REPLY;
    if (is_endless(rd->parser)) return refuse(why, "what it says is not Redis's protocol: a line without an end");
    if (rd->parser->len - rd->parser->pos + rd->arena.used > LIMIT_REDIS_REPLY_BYTES)
        return refuse(why, "a reply that is too large");
    return REDIS_READ_MORE;
}
