/*
 * Whose name stands for what somebody does at this machine: the operating system's word for it.
 *
 *     char name[LIMIT_LOGIN_BYTES + 1];
 *     login_caller(name);          // who has logged in, also behind sudo; else whose process this is
 *     login_of(uid, name);         // "kim", or "uid 1000"
 *
 * Asks name services, which may block: for commands and for starts. A name that is longer is cut.
 */
#ifndef MOONGATE_BASE_LOGIN_H
#define MOONGATE_BASE_LOGIN_H

#include <sys/types.h>

#include "base/limits.h"

void login_caller(char name[LIMIT_LOGIN_BYTES + 1]);
void login_of(uid_t uid, char name[LIMIT_LOGIN_BYTES + 1]);

#endif
