/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals that ask vmcore to end. */
#ifndef GLUE_SIGNALS_H
#define GLUE_SIGNALS_H

#include <signal.h>

/* Those of SIGINT, SIGTERM and SIGHUP that are not ignored, as nohup and shells have
 * it: a blocked signal is kept and found also when it is ignored. */
sigset_t signals_to_end(void);

#endif
