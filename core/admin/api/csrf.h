/*
 * May a browser's request with a session change something? Only when a page of ours has made it.
 *
 *     const char *no = csrf_refusal(&(struct csrf_request){.method = …, .origin = …, .fetch_site = …, .host = …,
 *                                                          .trusted = origins, .trusted_count = n});
 *     if (no) … 403 …
 *
 * In this order, for every method but GET and HEAD: an Origin that is trusted is let in; Sec-Fetch-Site lets in as
 * "same-origin" and refuses as anything else; without it the Origin's host must be the Host; without both nobody is let
 * in. (Over plain HTTP to a name that is not this machine's Chromium sends no Sec-Fetch-Site.) Scripts show a key,
 * which no browser sends by itself, and never come here.
 */
#ifndef MOONGATE_ADMIN_API_CSRF_H
#define MOONGATE_ADMIN_API_CSRF_H

#include <stddef.h>

#include "base/slice.h"

/* Values of headers; empty: not sent. */
struct csrf_request {
    struct slice method;
    struct slice origin, fetch_site, host;
    const struct slice *trusted; /* origins: "https://gateway.example.com" */
    size_t trusted_count;
};

/* NULL: it may; else what is wrong. */
const char *csrf_refusal(const struct csrf_request *r);
/* "https://host:port" of a URL that begins so; empty: it does not. */
struct slice csrf_origin_of(struct slice url);

#endif
