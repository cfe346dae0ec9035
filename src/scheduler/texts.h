// The exact descriptions that users and clients of the reference match on. Reference scheduler 1.6.
#pragma once

#include <string_view>

namespace drover::scheduler::text {

inline constexpr std::string_view
    kNotNeeded = "alloc not needed due to job update",
    kReconnected = "alloc not needed due to disconnected client reconnect",
    kMigrating = "alloc is being migrated",
    kUpdating = "alloc is being updated due to job update",
    kLost = "alloc is lost since its node is down",
    kUnknown = "alloc is unknown since its node is disconnected",
    kInPlace = "alloc updating in-place",
    kNodeTainted = "alloc not needed as node is tainted",
    kRescheduled = "alloc was rescheduled because it failed",
    kBlockedPlacements = "created to place remaining allocations",
    kBlockedMaxPlans = "created due to placement conflicts",
    kFollowupReschedule = "created for delayed rescheduling",
    kFollowupDisconnect = "created for delayed disconnect timeout";

inline constexpr std::string_view
    kDeploymentRunning = "Deployment is running",
    kDeploymentNeedsPromotion = "Deployment is running but requires manual promotion",
    kDeploymentAutoPromotion = "Deployment is running pending automatic promotion",
    kDeploymentSuccessful = "Deployment completed successfully",
    kDeploymentStoppedJob = "Cancelled because job is stopped",
    kDeploymentNewerJob = "Cancelled due to newer version of job",
    kDeploymentBlocked = "Deployment is complete but waiting for peer region",
    kDeploymentPending = "Deployment is pending, waiting for peer region";

}  // namespace drover::scheduler::text
