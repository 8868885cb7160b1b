// All tables of the release store in the state file, and what an older windlass left in them.
#pragma once

#include "base/result.h"
#include "sys/sqlite.h"

namespace windlass {

// Makes what is missing, tables and columns, and ends the releases that a kill interrupted. Safe to be cut short.
Status make_release_tables(Db& db);

}  // namespace windlass
