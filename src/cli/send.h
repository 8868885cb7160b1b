// `windlass send`: tells a service that an artifact has been pushed, as a pipeline does after any tool's push
// (api/L3b).
#pragma once

#include <string>

#include "cli/announcement.h"
#include "config/settings.h"
#include "sys/http_client.h"

namespace windlass {

struct SendCommand {
  std::string reference;  // with a digest, unless that is given alone:
  std::string digest;
  NotifyOptions notify;
  std::string ca_file;
};

// The exit code: 0 when the job was accepted or, if it is waited for, ended well; 1 when not; 2 for wrong usage.
// Standard output gets the id of the job, standard error what happened.
int send(const SendCommand& command, const Environment& environment, HttpTransport& transport);

}  // namespace windlass
