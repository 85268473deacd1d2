/* moongate's version, in the one place that the command line, metrics and the User-Agent take it from. */
#ifndef MOONGATE_BASE_VERSION_H
#define MOONGATE_BASE_VERSION_H

#define MOONGATE_VERSION "0.1.0"

#endif
