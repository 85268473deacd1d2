/* Which kinds of provider this version speaks to. Apart from config.c because wire/json.h and jansson.h clash. */
#ifndef MOONGATE_SERVER_KIND_H
#define MOONGATE_SERVER_KIND_H

#include <stdbool.h>

#include "base/slice.h"

bool kind_is_known(struct slice kind);

#endif
