#include "CheckContext.h"
using namespace updraft;
using namespace updraft::check;
void check::warnAboutRule(Context &) {}
