/*
 * Compares the keys that exist with the apps that the policies list, while those are loaded: a key whose app is not
 * there is refused at run time, and whoever took the app away hears of it now.
 *
 *     check_apps(rules, "data", report);     // warnings only; nothing when there is no registry yet
 */
#ifndef MOONGATE_SERVER_CHECK_APPS_H
#define MOONGATE_SERVER_CHECK_APPS_H

#include "server/report.h"
#include "store/auth_rules.h"

/* rules may be NULL: nobody is asked then. */
void check_apps(const struct auth_rules *rules, struct slice data_dir, struct report *report);

#endif
