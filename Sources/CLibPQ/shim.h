#ifndef TRADELEDGER_LIBPQ_SHIM_H
#define TRADELEDGER_LIBPQ_SHIM_H

#include <libpq-fe.h>

#endif
