/*
 * The commands about prompts, as rows of cli_commands.
 */
#ifndef MOONGATE_CLI_PROMPTS_COMMANDS_H
#define MOONGATE_CLI_PROMPTS_COMMANDS_H

/* clang-format off */
#define PROMPTS_COMMANDS \
    {"prompts alias", "another name for a prompt",                                                                    \
     "moongate prompts alias pmpt_68e5 support/reply\n"                                                               \
     "\n"                                                                                                             \
     "Requests may name it by either. For ids that other registries gave.\n"                                          \
     "\n"                                                                                                             \
     "  -c, --config FILE   the configuration (for its data folder)\n",                                               \
     command_prompts_alias},                                                                                          \
    {"prompts approve", "somebody else's version may answer from now on",                                             \
     "moongate prompts approve support/reply\n"                                                                       \
     "moongate prompts approve support/reply@2.2.0 --share 10%\n"                                                     \
     "\n"                                                                                                             \
     "Nobody approves what they wrote. Takes the role approver in the prompt's department.\n"                         \
     "\n"                                                                                                             \
     "  --no-deploy         approved, and not put into production\n"                                                  \
     "  --share SHARE       of production, 10% or thousandths; the rest stays with the version that has it\n"         \
     "  --sha256 HASH       of the text that was looked at: another one is refused (stale_review)\n"                  \
     "  --comment TEXT      kept with the verdict\n"                                                                  \
     "\n"                                                                                                             \
     "Exit code: 0 approved, 1 refused: self_approval, stale_review, not_your_scope.\n"                               \
     "\n"                                                                                                             \
     "  -c, --config FILE   the configuration (for its data folder)\n",                                               \
     command_prompts_approve},                                                                                        \
    {"prompts diff", "files beside what is in production",                                                            \
     "moongate prompts diff prompts\n"                                                                                \
     "\n"                                                                                                             \
     "Member by member. Exit code: 0 the same, 1 something differs.\n"                                                \
     "\n"                                                                                                             \
     "  -c, --config FILE   the configuration (for its data folder)\n",                                               \
     command_prompts_diff},                                                                                           \
    {"prompts history", "what happened to a prompt",                                                                  \
     "moongate prompts history support/reply\n"                                                                       \
     "\n"                                                                                                             \
     "Newest first: who did what, and the labels before and after.\n"                                                 \
     "\n"                                                                                                             \
     "  -c, --config FILE   the configuration (for its data folder)\n",                                               \
     command_prompts_history},                                                                                        \
    {"prompts list", "all prompts, their newest version and their labels",                                            \
     "moongate prompts list\n"                                                                                        \
     "\n"                                                                                                             \
     "  --json              versions, authors, verdicts, labels and aliases too\n"                                    \
     "  -c, --config FILE   the configuration (for its data folder)\n",                                               \
     command_prompts_list},                                                                                           \
    {"prompts new", "a first file for a prompt",                                                                      \
     "moongate prompts new support/reply --department support --owner support-team\n"                                 \
     "\n"                                                                                                             \
     "Writes prompts/support/reply.md, which `moongate prompts push` reads.\n"                                        \
     "\n"                                                                                                             \
     "  -c, --config FILE   the configuration (for its data folder)\n",                                               \
     command_prompts_new},                                                                                            \
    {"prompts pull", "the registry's newest versions as files",                                                       \
     "moongate prompts pull prompts\n"                                                                                \
     "\n"                                                                                                             \
     "Writes what `push` reads back as the same.\n"                                                                   \
     "\n"                                                                                                             \
     "  -c, --config FILE   the configuration (for its data folder)\n",                                               \
     command_prompts_pull},                                                                                           \
    {"prompts push", "files become drafts",                                                                           \
     "moongate prompts push\n"                                                                                        \
     "moongate prompts push prompts/support/reply.md --submit\n"                                                      \
     "\n"                                                                                                             \
     "What is unchanged does nothing. Another text under a number that is taken is refused, with the next free one.\n"\
     "\n"                                                                                                             \
     "  --submit            drafts go into review\n"                                                                  \
     "  --bump KIND         patch, minor or major: the next number, whatever the file says\n"                         \
     "  -c, --config FILE   the configuration (for its data folder)\n",                                               \
     command_prompts_push},                                                                                           \
    {"prompts reject", "somebody else's version goes no further",                                                     \
     "moongate prompts reject support/reply --comment \"too long\"\n"                                                 \
     "\n"                                                                                                             \
     "  --changes           back to its author, as a draft\n"                                                         \
     "  --comment TEXT      kept with the verdict\n"                                                                  \
     "  -c, --config FILE   the configuration (for its data folder)\n",                                               \
     command_prompts_reject},                                                                                         \
    {"prompts render", "what a prompt comes to with such values",                                                     \
     "moongate prompts render support/reply --set question=\"Where is it?\" --set n:=3\n"                             \
     "\n"                                                                                                             \
     "No model is called.\n"                                                                                          \
     "\n"                                                                                                             \
     "  --set NAME=TEXT     a variable; NAME:=JSON where it is no text\n"                                             \
     "  -c, --config FILE   the configuration (for its data folder)\n",                                               \
     command_prompts_render},                                                                                         \
    {"prompts revoke", "a version answers nobody any more",                                                           \
     "moongate prompts revoke support/reply@2.1.0 --to 2.0.0 --reason \"wrong article\"\n"                            \
     "\n"                                                                                                             \
     "  --to VERSION        what labels that point at it point at instead; needed where one does\n"                   \
     "  --reason TEXT       kept in the ledger\n"                                                                     \
     "\n"                                                                                                             \
     "Exit code: 0 revoked, 1 refused: in_production, not_your_scope.\n"                                              \
     "\n"                                                                                                             \
     "  -c, --config FILE   the configuration (for its data folder)\n",                                               \
     command_prompts_revoke},                                                                                         \
    {"prompts rollback", "production points at what it pointed at before",                                            \
     "moongate prompts rollback support/reply\n"                                                                      \
     "moongate prompts rollback support/reply 2.0.0 --reason \"complaints\"\n"                                        \
     "\n"                                                                                                             \
     "One command, one person with the role approver; that text was approved.\n"                                      \
     "\n"                                                                                                             \
     "  -c, --config FILE   the configuration (for its data folder)\n",                                               \
     command_prompts_rollback},                                                                                       \
    {"prompts share", "which versions a label points at",                                                             \
     "moongate prompts share support/reply 2.1.0=900 2.2.0=100\n"                                                     \
     "moongate prompts share support/reply 2.3.0=1000 --label dev\n"                                                  \
     "\n"                                                                                                             \
     "The whole set: shares come to 1000. The same caller always gets the same version.\n"                            \
     "\n"                                                                                                             \
     "  --label NAME        another than production, which takes approved versions only\n"                            \
     "  -c, --config FILE   the configuration (for its data folder)\n",                                               \
     command_prompts_share},                                                                                          \
    {"prompts show", "one prompt: versions, verdicts, labels, or a version's text",                                   \
     "moongate prompts show support/reply\n"                                                                          \
     "moongate prompts show support/reply@2.1.0\n"                                                                    \
     "\n"                                                                                                             \
     "  -c, --config FILE   the configuration (for its data folder)\n",                                               \
     command_prompts_show},                                                                                           \
    {"prompts submit", "a draft goes into review",                                                                    \
     "moongate prompts submit support/reply\n"                                                                        \
     "\n"                                                                                                             \
     "Its text stays as it is from then on, until it is withdrawn.\n"                                                 \
     "\n"                                                                                                             \
     "  -c, --config FILE   the configuration (for its data folder)\n",                                               \
     command_prompts_submit},                                                                                         \
    {"prompts withdraw", "a version comes back from review, as a draft",                                              \
     "moongate prompts withdraw support/reply\n"                                                                      \
     "\n"                                                                                                             \
     "  -c, --config FILE   the configuration (for its data folder)\n",                                               \
     command_prompts_withdraw},
/* clang-format on */

int command_prompts_alias(int argc, char **argv);
int command_prompts_approve(int argc, char **argv);
int command_prompts_diff(int argc, char **argv);
int command_prompts_history(int argc, char **argv);
int command_prompts_list(int argc, char **argv);
int command_prompts_new(int argc, char **argv);
int command_prompts_pull(int argc, char **argv);
int command_prompts_push(int argc, char **argv);
int command_prompts_reject(int argc, char **argv);
int command_prompts_render(int argc, char **argv);
int command_prompts_revoke(int argc, char **argv);
int command_prompts_rollback(int argc, char **argv);
int command_prompts_share(int argc, char **argv);
int command_prompts_show(int argc, char **argv);
int command_prompts_submit(int argc, char **argv);
int command_prompts_withdraw(int argc, char **argv);

#endif
