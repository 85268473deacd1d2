/*
 * Functions that lose lengths or hide errors do not compile here.
 * Included by the build into every C file (-include base/banned.h), after the headers that declare them.
 */
#ifndef MOONGATE_BASE_BANNED_H
#define MOONGATE_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* One of its macros spells a banned name, which is allowed as long as the macro is older than the ban. */
#if __has_include(<luaconf.h>)
#include <luaconf.h>
#endif

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gets atoi atol atoll
#pragma GCC poison asctime ctime gmtime localtime

#endif
