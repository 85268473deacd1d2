/*
 * What `moongate help` says of commands about access reviews.
 */
#ifndef MOONGATE_CLI_HELP_REVIEWS_H
#define MOONGATE_CLI_HELP_REVIEWS_H

extern const char help_reviews_list[], help_reviews_open[], help_reviews_show[], help_reviews_decide[],
    help_reviews_delegate[], help_reviews_patch[], help_reviews_complete[], help_reviews_evidence[],
    help_reviews_verify[];

/* Their rows in the table of commands. */
#define HELP_REVIEWS_COMMANDS                                                                                          \
    {"reviews list", "access reviews, and what waits for you", help_reviews_list, command_reviews_list},               \
    {"reviews open", "begin one, by a plan of governance.lua", help_reviews_open, command_reviews_open},               \
    {"reviews show", "one, with its items", help_reviews_show, command_reviews_show},                                  \
    {"reviews decide", "answer items: keep, revoke, reduce", help_reviews_decide, command_reviews_decide},             \
    {"reviews delegate", "let somebody answer in your place", help_reviews_delegate, command_reviews_delegate},        \
    {"reviews patch", "the rows that are to go, for git apply", help_reviews_patch, command_reviews_patch},            \
    {"reviews complete", "close one; its evidence is signed", help_reviews_complete, command_reviews_complete},        \
    {"reviews evidence", "what a completed one left", help_reviews_evidence, command_reviews_evidence},                \
    {"reviews verify", "has anybody changed that? offline", help_reviews_verify, command_reviews_verify}

#endif
