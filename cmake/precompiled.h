// What nearly every file includes, compiled once. Every file still includes what it uses: the fuzz build has none of this.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include <fmt/format.h>
