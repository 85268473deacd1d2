/*
 * What `moongate help` says of commands about people, their roles, and the switches of provider accounts.
 */
#ifndef MOONGATE_CLI_HELP_PEOPLE_H
#define MOONGATE_CLI_HELP_PEOPLE_H

extern const char help_people_list[], help_people_create[], help_people_disable[], help_people_enable[],
    help_people_merge[];
extern const char help_roles_list[], help_roles_give[], help_roles_take[];
extern const char help_provider_list[], help_provider_disable[], help_provider_enable[];

#endif
