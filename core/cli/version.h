/* The one place where moongate's version stands. */
#ifndef MOONGATE_CLI_VERSION_H
#define MOONGATE_CLI_VERSION_H

#define MOONGATE_VERSION "0.1.0"

#endif
