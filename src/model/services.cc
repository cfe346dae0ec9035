#include "model/services.h"

DROVER_DESCRIBE(drover::ServiceRegistration, "structs.ServiceRegistration",
    DROVER_FIELD(ID), DROVER_FIELD(ServiceName), DROVER_FIELD(Namespace), DROVER_FIELD(NodeID),
    DROVER_FIELD(Datacenter), DROVER_FIELD(JobID), DROVER_FIELD(AllocID), DROVER_FIELD(Tags), DROVER_FIELD(Address),
    DROVER_FIELD(Port), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::ServiceRegistrationStub, "structs.ServiceRegistrationStub",
    DROVER_FIELD(ServiceName), DROVER_FIELD(Tags))

DROVER_DESCRIBE(drover::ServiceRegistrationListStub, "structs.ServiceRegistrationListStub",
    DROVER_FIELD(Namespace), DROVER_FIELD(Services))
