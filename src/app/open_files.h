// How many files the process may have open, and who may have them: each connection is one (reliability/F85).
#pragma once

#include <cstddef>

namespace windlass {

// Raises the limit as far as the system allows, up to what is of use. The limit afterwards.
std::size_t raise_open_files();

// Connections of strangers that leave jobs the files which they need.
std::size_t connections_within(std::size_t open_files, bool is_tls = false);

}  // namespace windlass
