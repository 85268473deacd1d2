/* moongate: the command line is all there is to start; see cli/cli.h. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
