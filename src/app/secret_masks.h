// Secrets of the settings that no line of the log may show.
#pragma once

#include "base/log.h"
#include "config/settings.h"

namespace windlass {

// What was masked before stays masked: an old secret may be right elsewhere.
void mask_secrets(const Settings& settings, const Log& log);

}  // namespace windlass
