/* Which kinds of provider this version speaks to. Apart from config.c because wire/json.h and jansson.h clash. */
#ifndef MOONGATE_SERVER_KIND_H
#define MOONGATE_SERVER_KIND_H

#include <stdbool.h>

#include "base/slice.h"

bool kind_is_known(struct slice kind);
/* The header that the account's key goes into; SLICE_NONE: there is no such kind. */
struct slice kind_key_header(struct slice kind);
/* Are its calls signed where it has access keys? */
bool kind_takes_access_keys(struct slice kind);
/* May its URLs have an api_version in their query? And must they, at this one? */
bool kind_takes_version(struct slice kind);
bool kind_needs_version(struct slice kind, struct slice url);

#endif
