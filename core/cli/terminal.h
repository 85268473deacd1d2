/*
 * The one door of what commands print: stdout and stderr of the process, whoever writes to them (printf, jansson,
 * busted), show what a terminal would obey instead of sending it there (base/visible). Model names, app names and the
 * texts of policies and providers come from others; in a file or a pipe they would wait for the next `cat`.
 *
 *     terminal_guard();       // first thing in cli_main(); a line is written when it ends
 *     terminal_end();         // the last: the rest of stdout; errno of the first thing that could not be written, or 0
 */
#ifndef MOONGATE_CLI_TERMINAL_H
#define MOONGATE_CLI_TERMINAL_H

void terminal_guard(void);
/* How far something has come, on stderr, for terminals: written over by the next, and taken away by "". ASCII. */
void terminal_progress(const char *line);
int terminal_end(void);

#endif
