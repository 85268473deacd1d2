#include "base/login.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

void login_of(uid_t uid, char name[LIMIT_LOGIN_BYTES + 1])
{
    char room[4096];
    struct passwd entry, *found = NULL;
    if (getpwuid_r(uid, &entry, room, sizeof room, &found) == 0 && found && found->pw_name[0])
        snprintf(name, LIMIT_LOGIN_BYTES + 1, "%s", found->pw_name);
    else
        snprintf(name, LIMIT_LOGIN_BYTES + 1, "uid %lu", (unsigned long)uid);
}

void login_caller(char name[LIMIT_LOGIN_BYTES + 1])
{
    char text[256];
    if (getlogin_r(text, sizeof text) == 0 && text[0])
        snprintf(name, LIMIT_LOGIN_BYTES + 1, "%.*s", (int)LIMIT_LOGIN_BYTES, text);
    else
        login_of(getuid(), name);
}
