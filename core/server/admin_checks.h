/*
 * The checklist as the admin process answers it: the configuration and the policies in force, which it is handed at
 * each reload, and which are loaded when somebody asks for the first time after it.
 *
 *     struct admin_checks *c = admin_checks_new(board);
 *     admin_checks_take_config(c, config);              // taken
 *     admin_checks_take_policies(c, fd);                // bundle_serialise(); borrowed
 *     parts.api.checks = admin_checks_api(c);           // what the API asks (admin/api/checklist.h)
 *     admin_checks_free(c);
 *
 * Nothing is decided with these policies here: a script of ours reads them.
 */
#ifndef MOONGATE_SERVER_ADMIN_CHECKS_H
#define MOONGATE_SERVER_ADMIN_CHECKS_H

#include "admin/admin.h"

struct admin_checks;
struct api_checks;
struct config;

/* The board is borrowed. */
struct admin_checks *admin_checks_new(const struct board *board);
void admin_checks_free(struct admin_checks *c);
void admin_checks_take_config(struct admin_checks *c, struct config *config);
void admin_checks_take_policies(struct admin_checks *c, int fd);
const struct api_checks *admin_checks_api(const struct admin_checks *c);

#endif
