/* Which kinds of provider this version speaks to. Apart from config.c because wire/json.h and jansson.h clash. */
#ifndef MOONGATE_SERVER_KIND_H
#define MOONGATE_SERVER_KIND_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/slice.h"

bool kind_is_known(struct slice kind);
/* The kind that is misspelt, or called by its vendor's name ("google"); NULL: none is near. */
const char *kind_nearest(struct slice word);
/* Where its API begins, as one writes it: "https://api.anthropic.com/v1". */
const char *kind_url_example(struct slice kind);
/* The header that the account's key goes into; SLICE_NONE: there is no such kind. */
struct slice kind_key_header(struct slice kind);
/* And the one that a token goes into, which it is given for a key file. */
struct slice kind_token_header(void);
/* Are its calls signed where it has access keys? */
bool kind_takes_access_keys(struct slice kind);
/* Is that header none of an account's own, since the gateway says it there? */
bool kind_sets_header(struct slice kind, struct slice name);
/* May its URLs have an api_version in their query? And must they, at this one? */
bool kind_takes_version(struct slice kind);
bool kind_needs_version(struct slice kind, struct slice url);
/* Google's: its paths name a project and a place, and it may have a key file. */
bool kind_is_google(struct slice kind);
/* Where accounts in that place are asked, in the arena. */
struct slice kind_url_in(struct slice location, struct arena *arena);
/* Can tokens be asked for with that key file? Then text is what is kept of it (exchange/settings.h); else why not. */
bool kind_read_key_file(struct slice kind, struct slice json, struct slice ca_file, struct buf *text,
                        struct fault *why);

#endif
