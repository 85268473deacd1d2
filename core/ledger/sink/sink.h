/*
 * The ways in which a notice of a budget leaves the gateway: one row of functions each, as the witnesses of anchors
 * have them (ledger/witness/witness.h).
 *
 *     struct sink_way *way = sink_way_new(loop, &sink);     // by its kind; moongate.lua says what there is
 *     way->done = on_done; way->arg = arg;
 *     way->send(way, &notice);                              // one at a time; done(arg, is_good, why) follows
 *     way->free(way);                                       // what is under way is broken off
 *
 * webhook: POST of a JSON object: the notice's entry, with "receiver", "address" and "gateway" before it. Headers:
 *   moongate-event: alert_…       the entry's id, which is the same however often it is sent
 *   moongate-signature: t=…,v1=…  when there is a secret: seconds since 1970, and the HMAC-SHA256, in hexadecimal
 *                                 digits, of t, a dot and the body. Who checks it refuses what is minutes old.
 * slack: POST of {"channel","text"}, as incoming webhooks of Slack, Mattermost and others take it. An address that
 *   begins with # or @ is the channel, another stands before the text; what their mark-up reads as a link or a mention
 *   is escaped.
 * command: a program with that JSON object and a line end as its input; no shell, no variables but PATH, HOME, LANG and
 *   TZ; taken when it ends with 0. After LIMIT_NOTICE_MS it is killed, with what it has started in its process group.
 */
#ifndef MOONGATE_LEDGER_SINK_SINK_H
#define MOONGATE_LEDGER_SINK_SINK_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"
#include "exchange/settings.h"

struct loop;

/* Borrowed for the call. */
struct sink_notice {
    struct slice id, text, rule;
    struct slice receiver, address; /* "slack:#ai-spend", "#ai-spend"; may be empty; of "owner" the app's owner */
    struct slice gateway;
    struct slice entry; /* JSON, as it stands in the chain */
};

struct sink_way {
    void (*send)(struct sink_way *way, const struct sink_notice *notice);
    void (*free)(struct sink_way *way);
    void (*done)(void *arg, bool is_good, const char *why); /* the owner's; also from inside send() */
    void *arg;
};

/* What it is given is copied. */
struct sink_way *sink_way_new(struct loop *loop, const struct sink *sink);

/* The ways, and the JSON object that webhooks and commands get. */
struct sink_way *sink_http_new(struct loop *loop, const struct sink *sink);
struct sink_way *sink_command_new(struct loop *loop, const struct sink *sink);
void sink_write(struct buf *out, const struct sink_notice *notice);

#endif
