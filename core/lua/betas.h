/*
 * Which previews of Anthropic's API its hosts take: scripts/catalogue/betas.lua, read once in a process.
 *
 *     if (betas_bedrock_takes(SLICE("context-1m-2025-08-07"))) …
 */
#ifndef MOONGATE_LUA_BETAS_H
#define MOONGATE_LUA_BETAS_H

#include <stdbool.h>

#include "base/slice.h"

bool betas_bedrock_takes(struct slice beta);

#endif
