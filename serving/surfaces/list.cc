#include "serving/surfaces/list.h"

#include <iterator>
#include <utility>

#include "serving/surfaces/accounts.h"
#include "serving/surfaces/admin.h"
#include "serving/surfaces/audit.h"
#include "serving/surfaces/blocked.h"
#include "serving/surfaces/checkpoints.h"
#include "serving/surfaces/cluster.h"
#include "serving/surfaces/dead_letters.h"
#include "serving/surfaces/docs.h"
#include "serving/surfaces/events.h"
#include "serving/surfaces/interactions.h"
#include "serving/surfaces/items.h"
#include "serving/surfaces/jobs.h"
#include "serving/surfaces/lists.h"
#include "serving/surfaces/meta.h"
#include "serving/surfaces/movies.h"
#include "serving/surfaces/recommendations.h"
#include "serving/surfaces/recommender.h"
#include "serving/surfaces/shoppable.h"
#include "serving/surfaces/users.h"

namespace millrace::serving {

std::vector<Route> all_routes(const Deps& deps) {
  std::vector<Route> all;
  for (const auto surface :
       {event_routes, item_routes, recommendation_routes, list_routes, user_routes, account_routes,
        movie_routes, shoppable_routes, interaction_routes, recommender_routes, job_routes, admin_routes, blocked_routes,
        audit_routes, checkpoint_routes, cluster_routes, dead_letter_routes, docs_routes,
        meta_routes}) {
    auto routes = surface(deps);
    std::move(routes.begin(), routes.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace millrace::serving
